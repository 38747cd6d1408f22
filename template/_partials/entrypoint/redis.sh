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
