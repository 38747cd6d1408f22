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
