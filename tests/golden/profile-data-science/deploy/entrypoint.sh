#!/bin/sh
# Completes the environment, then becomes the command. The same in every image of the project.
set -eu

# Secrets as files: NAME_FILE=/run/secrets/name gives NAME.
for name in $(env | sed -n 's|^\([A-Za-z_][A-Za-z0-9_]*\)_FILE=/run/secrets/.*|\1|p'); do
    eval "file=\${${name}_FILE-} value=\${${name}-}"
    if [ -z "$value" ] && [ -n "$file" ]; then
        [ -r "$file" ] || { echo "entrypoint: ${name}_FILE names $file, which cannot be read" >&2; exit 1; }
        value=$(cat "$file")
        export "$name=$value"
    fi
done

# Percent-encodes what could end or split a part of a URL (RFC 3986).
encode() {
    case $1 in
        *[!A-Za-z0-9._~-]*) printf %s "$1" | od -An -v -tx1 | tr -d ' \n' | sed 's/../%&/g' ;;
        *) printf %s "$1" ;;
    esac
}

# PostgreSQL: a URL from its parts; platforms that give a URL may still write postgres://.
if [ -z "${DATABASE_URL-}" ] && [ -n "${POSTGRES_SERVER-}" ]; then
    login=$(encode "${POSTGRES_USER:-postgres}"):$(encode "${POSTGRES_PASSWORD-}")
    database=$(encode "${POSTGRES_DB:-${POSTGRES_USER:-postgres}}")
    DATABASE_URL=postgresql://$login@$POSTGRES_SERVER:${POSTGRES_PORT:-5432}/$database
fi
if [ -n "${DATABASE_URL-}" ]; then
    case $DATABASE_URL in postgres://*) DATABASE_URL=postgresql://${DATABASE_URL#postgres://} ;; esac
    export DATABASE_URL
    if [ -z "${SQLALCHEMY_DATABASE_URI-}" ]; then
        export SQLALCHEMY_DATABASE_URI="postgresql${SQLALCHEMY_DRIVER:++$SQLALCHEMY_DRIVER}${DATABASE_URL#postgresql}"
    fi
fi

if [ -z "${REDIS_URL-}" ] && [ -n "${REDIS_HOST-}" ]; then
    login=${REDIS_PASSWORD:+$(encode "${REDIS_USERNAME-}"):$(encode "$REDIS_PASSWORD")@}
    export REDIS_URL="redis://$login$REDIS_HOST:${REDIS_PORT:-6379}/${REDIS_DB:-0}"
fi

if [ -z "${MONGODB_URL-}" ] && [ -n "${MONGODB_HOST-}" ]; then
    login=${MONGODB_USERNAME:+$(encode "$MONGODB_USERNAME"):$(encode "${MONGODB_PASSWORD-}")@}
    database=$(encode "${MONGODB_DATABASE-}")
    export MONGODB_URL="mongodb://$login$MONGODB_HOST:${MONGODB_PORT:-27017}/$database?authSource=admin"
fi

# Uvicorn reads its own name for the port.
if [ -n "${PORT-}" ]; then
    export UVICORN_PORT="$PORT"
fi

exec "$@"
