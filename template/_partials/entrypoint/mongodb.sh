if [ -z "${MONGODB_URL-}" ] && [ -n "${MONGODB_HOST-}" ]; then
    _login=${MONGODB_USERNAME:+$(encode "$MONGODB_USERNAME"):$(encode "${MONGODB_PASSWORD-}")@}
    _database=$(encode "${MONGODB_DATABASE-}")
    export MONGODB_URL="mongodb://$_login$MONGODB_HOST:${MONGODB_PORT:-27017}/$_database?authSource=admin"
fi
