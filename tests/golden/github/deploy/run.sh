#!/bin/sh
# Runs one command in an app's image: the version in service, with its settings, networks and user,
# in a container of its own that is removed afterwards. Ends with the command's exit code.
#   sh deploy/run.sh [--env NAME] COMMAND [ARGUMENT...]    as in: sh deploy/run.sh sh
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "$0")/common.sh"

app=app
case ${1-} in
    app)
        app=$1
        shift
        ;;
    -*) fail "$1 is no option: the command comes next." ;;
esac
[ $# -gt 0 ] || fail "Name the command, as in: sh deploy/run.sh$options $app sh"
case $app in
    app) image=$(setting IMAGE_APP api-only-app):$(setting TAG latest) ;;
esac
# Else Compose would build one.
docker image inspect "$image" >/dev/null 2>&1 ||
    fail "There is no image $image: sh deploy/deploy.sh$options"
# A terminal where there is one.
if [ -t 0 ] && [ -t 1 ]; then terminal=''; else terminal=--no-TTY; fi
# shellcheck disable=SC2086 # an option, or none
compose --progress quiet run --rm --no-deps $terminal "$app" "$@"
