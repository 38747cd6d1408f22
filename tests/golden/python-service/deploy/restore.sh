#!/bin/sh
# Brings a backup back: what is there now is replaced by it, after a backup of its own.
#   sh deploy/restore.sh [--env NAME] --list                     which backups there are
#   sh deploy/restore.sh [--env NAME] BACKUP|latest [SERVICE…]   all of it, or these services alone;
#                                       latest is none of those that a restore made before it began
#   sh deploy/restore.sh [--env NAME] --import FILE SERVICE      data from elsewhere
# BACKUP is a name of the list, or a path. SERVICE is one of: postgres.
# Before these: --yes does not ask; --no-backup makes no backup of the present state.
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "$0")/common.sh"
# shellcheck source-path=SCRIPTDIR source=data/common.sh
. deploy/data/common.sh

yes='' first_backup=yes import=''
while :; do
    case ${1-} in
        --list)
            for name in $(list_backups); do
                size=$(du -sh "$backups/$name" | cut -f 1) reason=$(told "$backups/$name" reason)
                printf '%s  %s UTC  %6s  %s, version %s\n' "$name" \
                    "$(echo "$name" | sed 's/\(....\)\(..\)\(..\)-\(..\)\(..\).*/\1-\2-\3 \4:\5/')" \
                    "$size" "${reason:-by hand}" "$(told "$backups/$name" tag)"
            done
            exit
            ;;
        --yes) yes=yes ;;
        --no-backup) first_backup='' ;;
        --import)
            [ $# -eq 3 ] || fail "Use: --import FILE SERVICE"
            import=$2
            shift
            ;;
        -*) fail "$1 is no option; sh deploy/restore.sh$options --list shows the backups." ;;
        *) break ;;
    esac
    shift
done
if [ -z "$import" ]; then
    [ $# -ge 1 ] || fail "Name the backup, or latest: sh deploy/restore.sh$options --list"
    find_backup "$1"
    shift
fi
wanted=${*:-$kept}
for one in $wanted; do
    among "$one" "$kept" || fail "$one is not one of: $kept."
done

# No other backup or deployment meanwhile.
lock deploy
lock backup 8
quoted() {
    case $1 in
        *[!A-Za-z0-9._/:@%+,=-]*) printf "'%s'" "$(printf %s "$1" | sed "s/'/'\\\\''/g")" ;;
        *) printf %s "$1" ;;
    esac
}
# What the same restore is called once there are more backups, which latest would be.
if [ -n "$import" ]; then
    [ -f "$import" ] && [ -r "$import" ] || fail "$import cannot be read."
    what=$import again="--import $(quoted "$import") $wanted"
else
    verify "$backup"
    what="the backup $(basename "$backup")" again="$(quoted "$name")${*:+ $*}"
    for one in $wanted; do
        [ -f "$backup/$one.backup" ] || fail "The backup $backup has no $one; name what to restore."
    done
fi
file_of() {
    printf %s "${import:-$backup/$1.backup}"
}

if [ -z "$yes" ]; then
    [ -t 0 ] || fail "Nobody is there to ask: add --yes."
    printf 'Replace %s of %s by %s? [y/N] ' "$wanted" "$project" "$what" >&2
    read -r answer || answer=''
    case $answer in y | Y | yes) ;; *) fail "Nothing was changed." ;; esac
fi

before='' doing=''
finish() {
    code=$?
    trap '' HUP INT QUIT TERM
    [ "$code" -eq 0 ] && result=ok || result="failed while $doing"
    note "restore from=\"$what\" what=\"$wanted\" before=${before:-none} result=\"$result\""
    [ "$code" -eq 0 ] && return
    echo "$me: Failed while $doing. The apps are stopped, and what is restored is not complete." >&2
    echo "$me: Mend the cause and go on: sh deploy/restore.sh$options --no-backup $again" >&2
    [ -z "$before" ] || echo "$me: Or go back: sh deploy/restore.sh$options --no-backup $before" >&2
    exit 1
}
if [ -n "$first_backup" ] && [ -n "$(containers postgres)" ]; then
    echo "-- backing up the present state"
    # It takes the lock itself, and must not remove what is about to be restored.
    exec 8>&-
    # shellcheck disable=SC2086 # two words, or none
    KEEP_BACKUP=$(basename "${backup-none}") sh deploy/backup.sh $options --reason "before restore of $what" ||
        fail "Nothing was changed; --no-backup restores without a backup of the present state."
    lock backup 8
    before=$(list_backups | tail -n 1)
fi
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 131' QUIT
trap 'exit 143' TERM
begin() {
    doing=$1
    echo "-- $doing"
}

begin 'stopping the apps'
stop_apps

begin 'starting the databases'
start_services postgres

for one in $wanted; do
    begin "restoring $one"
    if among "$one" "$stopped"; then
        stop_service "$one"
        beside "$one" restore <"$(file_of "$one")"
        start_services "$one"
    elif [ "$one" = uploads ]; then
        beside "$one" restore <"$(file_of "$one")"
    else
        inside "$one" restore <"$(file_of "$one")"
    fi
done

begin 'starting the apps'
ready=yes
docker image inspect "$(setting IMAGE_APP pypg-app):$(setting TAG latest)" >/dev/null 2>&1 || ready=''
if [ -z "$ready" ]; then
    echo "Restored $wanted from $what. The apps' images are not here yet: sh deploy/deploy.sh$options"
    exit
fi
start_apps
echo "Restored $wanted from $what.${before:+ What was there before is in the backup $before.}"
