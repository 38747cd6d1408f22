#!/bin/sh
# Goes back to the version that was in service before the present one, by its image; a second run
# goes forward again.
#   sh deploy/rollback.sh [--env NAME] [TAG]
#   sh deploy/rollback.sh [--env NAME] --list    the versions whose images are still here
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "$0")/common.sh"

present=$(setting TAG latest)
if [ "${1-}" = --list ]; then
    docker image ls --format '{{.Tag}}  {{.CreatedSince}}' "$(setting IMAGE_APP api-only-app)"
    exit
fi
[ $# -le 1 ] || fail "Name one tag, or none."
target=${1-}
if [ -z "$target" ] && [ -e "$history_file" ]; then
    target=$(
        sed -n "s/.* deploy version=$present before=\([^ ]*\) .* result=\"ok\".*/\1/p" "$history_file" |
            grep -vxF -e "$present" -e none | tail -n 1
    )
fi
[ -n "$target" ] || fail "No version before $present is on record: choose one of sh deploy/rollback.sh$options --list."
[ "$target" != "$present" ] || fail "$target is in service already."

echo "The database stays as it is: what the migrations of $present changed is not undone. If"
echo "$target cannot work with that, restore a backup from before: sh deploy/restore.sh$options --list"
# shellcheck disable=SC2086 # two words, or none
exec sh deploy/deploy.sh $options --switch "$target"
