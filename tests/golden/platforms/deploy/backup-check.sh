#!/bin/sh
# Proves a backup: restores it into a throw-away stack beside the real one, counts, and compares with
# what was counted when it was made. Removes that stack again. The latest must not be older than
# BACKUP_MAX_AGE_DAYS.
#   sh deploy/backup-check.sh [--env NAME] [BACKUP]   latest, a name of restore.sh --list, or a path
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "$0")/common.sh"
# shellcheck source-path=SCRIPTDIR source=data/common.sh
. deploy/data/common.sh
[ $# -le 1 ] || fail "Name one backup, or none."
find_backup "${1:-latest}"

lock drill
verify "$backup"
# No environment can have this name.
project=${project}_drill work=$(mktemp -d) result='failed'
compose_shown="docker compose -f docker-compose.prod.yml -p $project --env-file $env_file"
remove() {
    compose --progress quiet --profile '*' down --volumes --remove-orphans --timeout 5 >/dev/null 2>&1
}
finish() {
    code=$?
    trap '' HUP INT QUIT TERM
    rm -rf "$work"
    remove || echo "$me: The throw-away stack could not be removed: $compose_shown --profile '*' down --volumes" >&2
    note "drill backup=$(basename "$backup") result=\"$result\""
    [ "$code" -eq 0 ] || [ "$code" -gt 128 ] || exit 1
    exit "$code"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 131' QUIT
trap 'exit 143' TERM

# What a killed run left.
remove || true
start_services chroma mongodb postgres redis
for one in $kept; do
    [ -f "$backup/$one.backup" ] || continue
    if among "$one" "$stopped"; then
        compose --progress quiet stop "$one"
        beside "$one" restore <"$backup/$one.backup"
        start_services "$one"
    elif [ "$one" = uploads ]; then
        beside "$one" restore <"$backup/$one.backup"
    else
        inside "$one" restore <"$backup/$one.backup"
    fi
    measure "$one" count >"$work/one"
    sed "s/^count/$one/" "$work/one" >>"$work/found"
done

told "$backup" count >"$work/told"
# The last word is the number; what stands before it is the name.
touch "$work/found"
printf '%-48s %14s %14s\n' '' 'backed up' restored
awk '
    { number = $NF; sub(/ [^ ]*$/, ""); names[$0] = 1 }
    FILENAME ~ /told$/ { told[$0] = number }
    FILENAME ~ /found$/ { found[$0] = number }
    END {
        for (name in names) {
            a = (name in told) ? told[name] : "-"
            b = (name in found) ? found[name] : "-"
            if (a != b) bad = 1
            printf("%-48s %14s %14s%s\n", name, a, b, (a == b) ? "" : "  DIFFERENT") | "sort"
        }
        close("sort")
        exit bad
    }' "$work/told" "$work/found" || {
    result=different
    fail "The backup $(basename "$backup") does not hold what was counted when it was made."
}
result=ok
echo "The backup $(basename "$backup") can be restored."
[ $# -eq 0 ] || exit 0
age=$((($(date +%s) - $(time_of "$(basename "$backup")")) / 3600))
[ "$age" -le $((max_age_days * 24)) ] || fail "But it is the newest, and $((age / 24)) days old: are backups made every night?"
