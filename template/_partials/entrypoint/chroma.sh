if [ -z "${CHROMA_URL-}" ] && [ -n "${CHROMA_HOST-}" ]; then
    case $CHROMA_HOST in
        *://*) CHROMA_URL=$CHROMA_HOST ;;
        *) CHROMA_URL=http://$CHROMA_HOST:${CHROMA_PORT:-8000} ;;
    esac
    export CHROMA_URL
fi
