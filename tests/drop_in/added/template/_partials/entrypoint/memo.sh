if [ -z "${MEMO_URL-}" ] && [ -n "${MEMO_HOST-}" ]; then
    export MEMO_URL="http://$MEMO_HOST:${MEMO_PORT:-11300}"
fi
