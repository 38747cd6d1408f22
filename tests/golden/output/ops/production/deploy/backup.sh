#!/bin/sh
# Backs up mongodb, while everything keeps running, to a folder of its own in
# BACKUP_DIR; removes old ones; copies it to another machine where the settings say so.
#   sh deploy/backup.sh [--env NAME] [--reason TEXT]    the list of backups shows the reason
# A backup that did not end well leaves nothing behind; the exit code is 1.
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "$0")/common.sh"
# shellcheck source-path=SCRIPTDIR source=data/common.sh
. deploy/data/common.sh
reason='by hand'
if [ $# -eq 2 ] && [ "$1" = --reason ]; then
    reason=$2
    shift 2
fi
[ $# -eq 0 ] || fail "Use: sh deploy/backup.sh [--env NAME] [--reason TEXT]"

lock backup
started=$(date +%s)
mkdir -p "$backups" || fail "$backups cannot be written: look at BACKUP_DIR in $env_file."
# Out of git's sight, wherever they lie.
[ -e "$backups/.gitignore" ] || echo '*' >"$backups/.gitignore"
# What a killed run left.
rm -rf "$backups"/*.partial

stamp=$(date -u +%Y%m%d-%H%M%SZ)
while [ -e "$backups/$stamp" ]; do
    sleep 1
    stamp=$(date -u +%Y%m%d-%H%M%SZ)
done
partial=$backups/$stamp.partial doing='getting ready' made='' sleeping='' guard='' size=0
wake() {
    [ -z "$sleeping" ] || docker unpause "$sleeping" >/dev/null 2>&1 || true
    [ -z "$guard" ] || kill "$guard" 2>/dev/null || true
    sleeping='' guard=''
}
finish() {
    code=$?
    trap '' HUP INT QUIT TERM
    wake
    [ "$code" -eq 0 ] || [ ! -d "$partial" ] || [ "$(free_kb "$partial")" -ge 1024 ] || doing="$doing: the disk of $backups is full"
    rm -rf "$partial"
    [ "$code" -eq 0 ] && result=ok || result="failed while $doing"
    note "backup name=${made:-none} bytes=$size seconds=$(($(date +%s) - started)) result=\"$result\""
    [ "$code" -eq 0 ] || fail "Failed while $doing.${made:+ The backup $made is whole, in $backups.}"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 131' QUIT
trap 'exit 143' TERM

doing='looking at the databases'
for service in $services; do
    [ -n "$(containers "$service")" ] || fail "$service does not run, so it cannot be backed up: $compose_shown up -d $service"
done

doing='looking for space'
last=$(list_backups | tail -n 1)
if [ -n "$last" ]; then
    needed=$(($(du -sk "$backups/$last" | cut -f 1) * 3 / 2))
else
    needed=0
    for one in $kept; do
        bytes=$(measure "$one" size)
        needed=$((needed + bytes / 1024))
    done
fi
free=$(free_kb "$backups")
if [ $((free - needed)) -lt $((min_free * 1024)) ]; then
    told="$((free / 1024)) MB are free, a backup may take $((needed / 1024)) MB, and $min_free MB must stay free"
    fail "There is too little room in $backups: $told. No backup was made."
fi

# While a service is paused, requests to it wait. It goes on in every case: also when this script
# is killed, which the guard notices.
pause() {
    sleeping=$(containers "$1" | head -n 1)
    (
        trap '' HUP INT
        while kill -0 $$ 2>/dev/null; do sleep 1; done
        # The pause itself may be on its way only now.
        for _ in 1 2 3 4 5 6 7 8 9 10; do
            docker unpause "$sleeping"
            sleep 1
        done
    ) >/dev/null 2>&1 </dev/null 9>&- &
    guard=$!
    # A busy kernel may need another try.
    docker pause "$sleeping" >/dev/null 2>&1 || { sleep 2 && docker pause "$sleeping" >/dev/null 2>&1; } ||
        { sleep 5 && docker pause "$sleeping" >/dev/null; }
}

mkdir "$partial" || fail "$backups cannot be written: look at BACKUP_DIR in $env_file."
{
    echo "stamp $stamp"
    echo "sequence $((${last:+$(sequence_of "$backups/$last")} + 1))"
    echo "project $project"
    echo "reason $(printf %s "$reason" | tr '\n\r\t' '   ')"
    echo "tag $(setting TAG latest)"
    echo "image mongodb "mongo:7.0
} >"$partial/manifest"
for one in $kept; do
    doing="backing up $one"
    if among "$one" "$paused"; then
        counts=$(measure "$one" count)
        pause "$one"
        from=beside
    elif [ "$one" = uploads ]; then
        counts='' from=beside
    else
        counts='' from=inside
    fi
    { $from "$one" backup </dev/null 2>"$partial/said" || echo failed >"$partial/failed"; } | cat >"$partial/$one.backup"
    wake
    if [ -e "$partial/failed" ]; then
        grep -v '^count ' "$partial/said" >&2 || true
        exit 1
    fi
    { [ -z "$counts" ] || echo "$counts"; grep '^count ' "$partial/said" || true; } | sed "s/^count/count $one/" >>"$partial/manifest"
    rm "$partial/said"
done

doing='writing the checksums'
(cd "$partial" && sha256sum -- * >SHA256SUMS.new && mv SHA256SUMS.new SHA256SUMS)
# On the disk before it counts as one.
sync
size=$(cat "$partial"/* | wc -c | tr -d ' ')
mv "$partial" "$backups/$stamp"
made=$stamp
echo "Backed up mongodb to $backups/$stamp, $((size / 1024)) KB."

doing='removing old backups'
# The clock may have jumped: ages count from the backup before this one, if that is earlier, and those
# of the last seven days that have one stay. So do the newest three, three that no restore made, and
# KEEP_BACKUP, which restore.sh is about to take.
now=$(time_of "$stamp") before=$(time_of "${last:-$stamp}")
{ [ "$now" -ge "$before" ] && [ $((now - before)) -le $(((keep_days + 1) * 86400)) ]; } ||
    echo "$me: The backup before this one is $last, and the clock says $(date): if that is wrong, set it." >&2
[ "$now" -lt "$before" ] || now=$before
staying="$(list_backups | tail -n 3) $(list_ordinary_backups | tail -n 3) $(list_newest_days $((keep_days < 7 ? keep_days : 7))) ${KEEP_BACKUP-}"
for old in $(list_backups); do
    if [ $((now - $(time_of "$old"))) -gt $((keep_days * 86400)) ] && ! among "$old" "$(echo "$staying" | tr '\n' ' ')"; then
        # Under another name first, so that none is ever half there.
        mv "$backups/$old" "$backups/$old.partial"
        rm -rf "$backups/$old.partial"
        echo "Removed the backup $old."
    fi
done

remote=$(setting BACKUP_RCLONE_REMOTE '')
if [ -n "$remote" ]; then
    doing="copying the backup to $remote"
    command -v rclone >/dev/null || fail "rclone is missing: install it, or empty BACKUP_RCLONE_REMOTE."
    # Never overwrites or removes what is there.
    rclone copy --immutable "$backups/$stamp" "$remote/$project/$stamp"
    rclone check --one-way "$backups/$stamp" "$remote/$project/$stamp" 2>/dev/null
    echo "Copied it to $remote/$project/$stamp."
fi
RESTIC_REPOSITORY=$(setting BACKUP_RESTIC_REPOSITORY '')
if [ -n "$RESTIC_REPOSITORY" ]; then
    doing='copying the backup with restic'
    RESTIC_PASSWORD_FILE=$(setting BACKUP_RESTIC_PASSWORD_FILE '')
    export RESTIC_REPOSITORY RESTIC_PASSWORD_FILE
    command -v restic >/dev/null || fail "restic is missing: install it, or empty BACKUP_RESTIC_REPOSITORY."
    [ -r "$RESTIC_PASSWORD_FILE" ] || fail "BACKUP_RESTIC_PASSWORD_FILE must name a file that can be read."
    restic cat config >/dev/null || fail "The restic repository cannot be opened; a new one is made with restic init."
    restic backup --quiet --tag "$project" "$backups/$stamp"
    # By days that have one, and not by age: the clock may have jumped.
    restic forget --quiet --tag "$project" --group-by tags --keep-last 3 --keep-daily "$keep_days" --prune
    echo "Copied it with restic."
fi
