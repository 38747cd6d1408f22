#!/bin/sh
# Completes the environment, then becomes the command. The same in every image of the project.
set -eu

# Secrets as files: NAME_FILE=/run/secrets/name gives NAME.
for _name in $(env | sed -n 's|^\([A-Za-z_][A-Za-z0-9_]*\)_FILE=/run/secrets/.*|\1|p'); do
    eval "_file=\${${_name}_FILE-} _value=\${${_name}-}"
    if [ -z "$_value" ] && [ -n "$_file" ]; then
        [ -r "$_file" ] || { echo "entrypoint: ${_name}_FILE names $_file, which cannot be read" >&2; exit 1; }
        _value=$(cat "$_file")
        export "$_name=$_value"
    fi
done

# The same where the file is named as the variable; in Kubernetes they lie in /etc/secrets.
for _file in /run/secrets/* /etc/secrets/*; do
    _name=${_file##*/}
    case $_name in '' | variables | [0-9]* | *[!A-Za-z0-9_]*) continue ;; esac
    eval "_value=\${$_name-}"
    if [ -z "$_value" ] && [ -f "$_file" ]; then
        [ -r "$_file" ] || { echo "entrypoint: $_file cannot be read" >&2; exit 1; }
        _value=$(cat "$_file")
        export "$_name=$_value"
    fi
done

# Several in one file: lines of NAME=VALUE; a value's further lines begin with a space.
if [ -r /run/secrets/variables ]; then
    _name='' _text=''
    while IFS= read -r _line || [ -n "$_line" ]; do
        case $_line in
            ' '*)
                _text=$_text$(printf '\n%s_' "${_line# }") _text=${_text%_}
                [ -z "$_name" ] || export "$_name=$_text"
                continue
                ;;
            *=*) _name=${_line%%=*} _text=${_line#*=} ;;
            *) continue ;;
        esac
        case $_name in '' | [0-9]* | *[!A-Za-z0-9_]*) _name='' && continue ;; esac
        eval "_value=\${$_name-}"
        if [ -z "$_value" ]; then export "$_name=$_text"; else _name=''; fi
    done </run/secrets/variables
fi

# Percent-encodes what could end or split a part of a URL (RFC 3986).
encode() {
    case $1 in
        *[!A-Za-z0-9._~-]*) printf %s "$1" | od -An -v -tx1 | tr -d ' \n' | sed 's/../%&/g' ;;
        *) printf %s "$1" ;;
    esac
}

# The opposite, into _text: %41 is an A.
decode() {
    _rest=$1 _text=''
    while :; do
        case $_rest in *%[0-9A-Fa-f][0-9A-Fa-f]*) ;; *) break ;; esac
        _before=${_rest%%%[0-9A-Fa-f][0-9A-Fa-f]*}
        _rest=${_rest#"$_before%"}
        # The x keeps a line break, which $( ) would take away at the end.
        _byte=$(printf %bx "\\0$(printf %03o "0x${_rest%"${_rest#??}"}")")
        _text=$_text$_before${_byte%x} _rest=${_rest#??}
    done
    _text=$_text$_rest
}

# Takes scheme://user:password@host:port/path?query apart, into _user … _query.
split() {
    _query='' _user='' _password='' _port='' _path=''
    _address=${1#*://}
    case $_address in *\?*) _query=${_address#*\?} _address=${_address%%\?*} ;; esac
    case $_address in */*) _path=${_address#*/} _address=${_address%%/*} ;; esac
    case $_address in
        *@*)
            _user=${_address%@*} _address=${_address##*@}
            case $_user in *:*) decode "${_user#*:}" && _password=$_text _user=${_user%%:*} ;; esac
            decode "$_user" && _user=$_text
            ;;
    esac
    case $_address in
        \[*\]:*) _port=${_address##*]:} _host=${_address#\[} _host=${_host%%\]*} ;;
        \[*\]) _host=${_address#\[} _host=${_host%\]} ;;
        *:*) _port=${_address##*:} _host=${_address%:*} ;;
        *) _host=$_address ;;
    esac
    decode "$_path" && _path=$_text
    # Several hosts, or a socket's folder, are no name that a part could hold.
    case $_host in *,* | *%*) _host='' ;; esac
}

# Sets a variable that has no value yet.
give() {
    eval "_value=\${$1-}"
    if [ -z "$_value" ] && [ -n "$2" ]; then export "$1=$2"; fi
}

# Fly.io's command before a release: a connection that is pooled may be none for migrations.
if [ -n "${RELEASE_COMMAND-}" ] && [ -n "${DIRECT_DATABASE_URL-}" ]; then
    DATABASE_URL=$DIRECT_DATABASE_URL
    unset SQLALCHEMY_DATABASE_URI
fi

# PostgreSQL: the parts of a URL, or a URL from its parts; platforms may still write postgres://.
case ${POSTGRES_SERVER:+given}${DATABASE_URL-} in postgres*://*)
    split "$DATABASE_URL"
    if [ -n "$_host" ]; then
        give POSTGRES_SERVER "$_host"
        give POSTGRES_PORT "${_port:-5432}"
        give POSTGRES_USER "$_user"
        give POSTGRES_PASSWORD "$_password"
        give POSTGRES_DB "${_path:-$_user}"
        case "&$_query" in *'&sslmode='*) _query="&$_query" _query=${_query#*&sslmode=} ;; *) _query='' ;; esac
        give PGSSLMODE "${_query%%&*}"
    fi ;;
esac
if [ -z "${DATABASE_URL-}" ] && [ -n "${POSTGRES_SERVER-}" ]; then
    _login=$(encode "${POSTGRES_USER:-postgres}"):$(encode "${POSTGRES_PASSWORD-}")
    _database=$(encode "${POSTGRES_DB:-${POSTGRES_USER:-postgres}}")
    DATABASE_URL=postgresql://$_login@$POSTGRES_SERVER:${POSTGRES_PORT:-5432}/$_database
fi
if [ -n "${DATABASE_URL-}" ]; then
    case $DATABASE_URL in
        postgres://* | postgresql://*) DATABASE_URL=postgresql${DATABASE_DRIVER:++$DATABASE_DRIVER}://${DATABASE_URL#*://} ;;
    esac
    export DATABASE_URL
    if [ -z "${SQLALCHEMY_DATABASE_URI-}" ]; then
        case $DATABASE_URL in
            postgresql://*) SQLALCHEMY_DATABASE_URI=postgresql${SQLALCHEMY_DRIVER:++$SQLALCHEMY_DRIVER}${DATABASE_URL#postgresql} ;;
            *) SQLALCHEMY_DATABASE_URI=$DATABASE_URL ;;
        esac
        export SQLALCHEMY_DATABASE_URI
    fi
fi

case ${REDIS_HOST:+given}${REDIS_URL-} in redis://* | rediss://*)
    split "$REDIS_URL"
    if [ -n "$_host" ]; then
        give REDIS_HOST "$_host"
        give REDIS_PORT "${_port:-6379}"
        give REDIS_USERNAME "$_user"
        give REDIS_PASSWORD "$_password"
        give REDIS_DB "${_path:-0}"
    fi ;;
esac
if [ -z "${REDIS_URL-}" ] && [ -n "${REDIS_HOST-}" ]; then
    _login=${REDIS_PASSWORD:+$(encode "${REDIS_USERNAME-}"):$(encode "$REDIS_PASSWORD")@}
    export REDIS_URL="redis://$_login$REDIS_HOST:${REDIS_PORT:-6379}/${REDIS_DB:-0}"
fi

if [ -z "${MONGODB_URL-}" ] && [ -n "${MONGODB_HOST-}" ]; then
    _login=${MONGODB_USERNAME:+$(encode "$MONGODB_USERNAME"):$(encode "${MONGODB_PASSWORD-}")@}
    _database=$(encode "${MONGODB_DATABASE-}")
    export MONGODB_URL="mongodb://$_login$MONGODB_HOST:${MONGODB_PORT:-27017}/$_database?authSource=admin"
fi

if [ -z "${CHROMA_URL-}" ] && [ -n "${CHROMA_HOST-}" ]; then
    case $CHROMA_HOST in
        *://*) CHROMA_URL=$CHROMA_HOST ;;
        *) CHROMA_URL=http://$CHROMA_HOST:${CHROMA_PORT:-8000} ;;
    esac
    export CHROMA_URL
fi

# Another app's address; Render gives it as host:port.
case ${BACKEND_URL-} in '' | *://*) ;; *) export BACKEND_URL="http://$BACKEND_URL" ;; esac

# Where browsers find the site, and the app itself where that is elsewhere: _site, _own, and as lists
# without doubles _origins and _hosts.
_own=${OWN_URL:-${RENDER_EXTERNAL_URL-}}
_site='' _origins='' _hosts=''
set -f
for _url in $(echo "${SITE_URLS:-$_own},$_own" | tr , ' '); do
    case $_url in *://*) ;; *) _url=https://$_url ;; esac
    # A port of .env may have the address that it is open on, as in 127.0.0.1:8443.
    case $_url in *://localhost:*:*) _url=${_url%%:[0-9]*}:${_url##*:} ;; esac
    case $_url in https://*:443) _url=${_url%:443} ;; http://*:80) _url=${_url%:80} ;; esac
    _url=${_url%/} _site=${_site:-$_url}
    case ",$_origins," in *",$_url,"*) continue ;; esac
    split "$_url"
    _origins=$_origins${_origins:+,}$_url _hosts=$_hosts${_hosts:+,}$_host
done
set +f
_own=${_own:-$_site}

# What the apps call these.
give NEXTAUTH_URL "$_own"

# Uvicorn reads its own name for the port.
if [ -n "${PORT-}" ]; then
    export UVICORN_PORT="$PORT"
fi

exec "$@"
