#!/bin/sh
# Shows the logs of what is in service, with times (UTC): the last 100 lines of each.
#   sh deploy/logs.sh [--env NAME] [--since 1h] [--follow] [SERVICE...]
# With --since, all lines from then on: 30m, 2h, or a time as 2026-01-31T12:00:00Z.
# SERVICE is one of: app frontend worker scheduler caddy chroma mongodb postgres redis migrate.
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "$0")/common.sh"

known='app frontend worker scheduler caddy chroma mongodb postgres redis migrate' since='' follow=''
while :; do
    case ${1-} in
        --follow | -f) follow=--follow ;;
        --since)
            case ${2-} in '' | *[!0-9A-Za-z:.+-]* | -*) fail "Say since when: --since 30m, 2h, or 2026-01-31T12:00:00Z." ;; esac
            since=$2
            shift
            ;;
        -*) fail "$1 is no option: --since and --follow are." ;;
        *) break ;;
    esac
    shift
done
for service; do
    case " $known " in *" $service "*) ;; *) fail "$service is not one of: $known." ;; esac
done
# shellcheck disable=SC2048,SC2086 # names are words
[ -n "$(containers --all ${*:-$known})" ] || fail "There are no containers${*:+ of $*}: sh deploy/status.sh$options"
if [ -n "$since" ]; then lines=all; else lines=100; fi
# shellcheck disable=SC2086 # an option, or none
compose --profile '*' logs --timestamps ${since:+--since "$since"} --tail "$lines" $follow "$@"
