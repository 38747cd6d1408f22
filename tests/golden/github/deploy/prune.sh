#!/bin/sh
# Removes images of old versions: of those that deploy.sh made or took, all but the last KEEP_VERSIONS
# of each environment, and those that run. Backups have a rule of their own, in backup.sh.
#   sh deploy/prune.sh [--env NAME]
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "$0")/common.sh"

count=$(number KEEP_VERSIONS 5)
[ "$count" -ge 1 ] || fail "KEEP_VERSIONS in $env_file must be 1 or more."
versions() {
    sed -n "s/.* deploy version=\([^ ]*\) .* result=\"$1.*/\1/p" "$2"
}
keep=$(
    setting TAG latest && echo
    for file in deploy/state/*.log; do
        # The last ones that differ, whatever went forth and back between them.
        [ ! -e "$file" ] || versions ok "$file" |
            awk '{ line[NR] = $0 } END { for (i = NR; i; i--) if (!seen[line[i]]++) print line[i] }' | head -n "$count"
    done
)
images="$(setting IMAGE_APP api-only-app)"
for file in deploy/state/*.log; do
    [ -e "$file" ] || continue
    for version in $(versions '' "$file" | sort -u); do
        ! echo "$keep" | grep -qxF "$version" || continue
        for image in $images; do
            # One that runs refuses to go.
            ! docker image rm "$image:$version" >/dev/null 2>&1 || echo "Removed $image:$version."
        done
    done
done
