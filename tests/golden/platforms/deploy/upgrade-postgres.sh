#!/bin/sh
# Moves PostgreSQL's data into the major version that docker-compose.prod.yml names, by a backup that
# is restored into a new volume; the apps are stopped meanwhile. The old volume stays as it is.
#   sh deploy/upgrade-postgres.sh [--env NAME] [--yes]           --yes does not ask
#   sh deploy/upgrade-postgres.sh [--env NAME] [--yes] --same-version
#                                  the same into a new volume of the version that is there: of a database
#                                  whose apps log in as a superuser, it makes one where they do not
#   sh deploy/upgrade-postgres.sh [--env NAME] [--yes] --back    back to the old version and volume
# Before --back: --from IMAGE is the old version's image, where it cannot be found.
# Whatever fails, the version before serves again; the exit code is 1.
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "$0")/common.sh"
# shellcheck source-path=SCRIPTDIR source=data/common.sh
. deploy/data/common.sh

yes='' same='' back='' image=''
while [ $# -gt 0 ]; do
    case $1 in
        --yes) yes=yes ;;
        --same-version) same=yes ;;
        --back) back=yes ;;
        --from)
            [ $# -ge 2 ] || fail "Name the image: --from IMAGE."
            image=$2
            shift
            ;;
        *) fail "Use: sh deploy/upgrade-postgres.sh [--env NAME] [--yes] [--from IMAGE] [--same-version|--back]" ;;
    esac
    shift
done
lock deploy
present=$(setting POSTGRES_VOLUME postgres_data)
user=$(setting POSTGRES_USER app)
beside=$project-postgres-upgrade interrupted=deploy/state/$project.upgrade

# The versions of the data in a volume and of the image in docker-compose.prod.yml: data, program.
look_at() {
    export POSTGRES_VOLUME="$1"
    versions=$(beside postgres versions </dev/null)
    data=${versions% *} program=${versions#* }
}
major_of() {
    docker run --rm --network none --entrypoint sh "$1" -c \
        'echo "${PG_MAJOR:-$(postgres --version | sed "s/[^0-9]*\([0-9]*\).*/\1/")}"'
}
# The image of the version that the data is of: of the container that is there, of a backup, or by its
# name.
find_image() {
    for candidate in $(
        for id in $(containers --all postgres); do docker inspect --format '{{.Config.Image}} {{.Image}}' "$id"; done
        for name in $(list_backups); do told "$backups/$name" 'image postgres'; done | sort -u
        echo pgvector/pgvector:pg15 | sed "s/\(:.*\)$program/\1$data/"
    ); do
        [ "$(major_of "$candidate" 2>/dev/null)" != "$data" ] || { image=$candidate && return; }
    done
    fail "Name the image that PostgreSQL $data ran from: --from IMAGE, as in --from postgres:$data"
}
# Runs PostgreSQL with the data in a volume: serve VOLUME. Where the files name another version than
# that of the data, from the image of before.
serve() {
    look_at "$1"
    if [ "$data" = "$program" ]; then
        # Compose alone does not see that the volume is another one.
        compose --progress quiet up --detach --no-deps --force-recreate postgres
    else
        [ -n "$image" ] || find_image
        cat >"deploy/state/$project.postgres.yml" <<YAML
services:
  postgres:
    image: "$image"
YAML
        compose -f "deploy/state/$project.postgres.yml" --progress quiet up --detach --no-deps postgres
    fi
    wait_for_services postgres
}

ask() {
    [ -z "$yes" ] || return 0
    [ -t 0 ] || fail "Nobody is there to ask: add --yes."
    printf 'Go on? [y/N] ' >&2
    read -r answer || answer=''
    case $answer in y | Y | yes) ;; *) fail "Nothing was changed." ;; esac
}
begin() {
    doing=$1
    echo "-- $doing"
}

# The containers that serve, or served before a run that was killed.
apps=$(containers --all app frontend worker scheduler)
stop_them() {
    stopped_at=$(date +%s)
    # shellcheck disable=SC2086 # ids are words
    [ -z "$apps" ] || docker stop $apps >/dev/null
}
start_them() {
    for id in $apps; do docker start "$id" >/dev/null || return; done
    for id in $apps; do
        wait_until_healthy "$id" "$(docker inspect --format '{{.Name}}' "$id" | sed 's|^/||')" || return
    done
}
# With another POSTGRES_USER than before, they need new containers.
role_of() {
    id=$(containers "$1" | head -n 1)
    [ -z "$id" ] || docker exec "$id" printenv POSTGRES_USER
}
start_them_anew() {
    if [ "$role" = "$user" ]; then start_them; else start_apps; fi
}
use_volume() {
    draft_settings "POSTGRES_VOLUME=$1"
    keep_settings
}

started=$(date +%s) doing='looking at the data' target='' served='' state='' direction=up before=$present
finish() {
    code=$?
    trap '' HUP INT QUIT TERM
    drop_draft
    [ -n "$target" ] || exit "$code"
    [ "$code" -eq 0 ] && result=ok || result="failed while $doing"
    if [ "$code" -ne 0 ] && [ -z "$served" ]; then
        # In a condition it would go on after an error.
        set +e
        (set -e && return_to_present)
        returned=$?
        if [ "$returned" -eq 0 ]; then
            state='All is as it was before.'
        else
            state="The version before does not run yet, and its data is in the volume ${project}_$present: run this again."
        fi
    fi
    note "upgrade-postgres $direction from=$image before=$before volume=$target seconds=$(($(date +%s) - started)) result=\"$result\""
    [ "$code" -eq 0 ] || fail "Failed while $doing. $state"
}
return_to_present() {
    echo "-- going back" >&2
    docker rm --force --volumes "$beside" >/dev/null 2>&1 || true
    [ "$(setting POSTGRES_VOLUME postgres_data)" = "$present" ] || use_volume "$present"
    # The container is there until the other one takes its place.
    id=$(containers --all postgres | head -n 1)
    case " $([ -z "$id" ] || docker inspect --format '{{range .Mounts}}{{.Name}} {{end}}' "$id") " in
        *" ${project}_$present "*)
            docker start "$id" >/dev/null
            wait_for_services postgres
            ;;
        *) serve "$present" ;;
    esac
    [ "$direction" = back ] || docker volume rm --force "${project}_$target" >/dev/null
    start_them
    rm -f "$interrupted"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 131' QUIT
trap 'exit 143' TERM

start() {
    target=$1
    echo "$direction $target $present $image" >"$interrupted"
    begin 'stopping the apps'
    stop_them
}
# A run was killed: it is ended, if its volume is in the settings already, else undone.
if [ -e "$interrupted" ]; then
    begin 'looking after what a killed run left'
    read -r direction target before image <"$interrupted"
    if [ "$target" = "$present" ]; then
        served=yes state="Run this again."
        serve "$present"
        start_them
        rm -f "$interrupted"
        echo "PostgreSQL $data is in service."
        exit
    fi
    return_to_present
    target='' image='' direction=up before=$present
fi

if [ -n "$back" ]; then
    direction=back
    line=$(
        sed -n "s/.* upgrade-postgres up from=\([^ ]*\) before=\([^ ]*\) volume=$present .* result=\"ok\".*/\1 \2/p" \
            "$history_file" 2>/dev/null | tail -n 1
    )
    [ -n "$line" ] || fail "There was no upgrade to the volume that is in use, ${project}_$present."
    docker volume inspect "${project}_${line#* }" >/dev/null 2>&1 ||
        fail "The old volume ${project}_${line#* } is gone: restore a backup."
    [ -n "$image" ] || image=${line% *}
    echo "PostgreSQL goes back to $image and the volume ${project}_${line#* }. What was written since stays in a"
    echo "backup, which an older version does not read, and in the volume ${project}_$present."
    ask
    role=$(role_of postgres)
    start "${line#* }"
    if [ -n "$(containers postgres)" ]; then
        begin 'backing up'
        # shellcheck disable=SC2086 # two words, or none
        sh deploy/backup.sh $options --reason "before going back to $image"
    fi
    begin "starting $image"
    use_volume "$target"
    serve "$target"
    served=yes
    rm -f "$interrupted"
    begin 'starting the apps'
    start_them_anew
    echo "PostgreSQL $data is in service again."
    [ "$data" = "$program" ] ||
        echo "The files still name PostgreSQL $program: before the next deployment, generate again with --set postgres.image=$image"
    exit
fi

look_at "$present"
[ "$data" != none ] || fail "There is no data yet, so there is nothing to move."
if [ "$data" = "$program" ] && [ -z "$same" ]; then
    echo "The data is of PostgreSQL $program already."
    exit
fi
[ -z "$same" ] || [ "$user" != postgres ] ||
    fail "The apps would be the administrator again: set POSTGRES_USER in $env_file to another name, such as app."
[ "$data" -le "$program" ] ||
    fail "PostgreSQL $program cannot take what $data wrote: name $data again, or go back to the volume of before with --back."

# The image that serves, by its name if that has not moved on to another version.
id=$(containers postgres | head -n 1) found=''
if [ -n "$id" ]; then
    found=$(docker inspect --format '{{.Config.Image}}' "$id")
    [ "$(major_of "$found")" = "$data" ] || found=$(docker inspect --format '{{.Image}}' "$id")
    [ "$(major_of "$found")" = "$data" ] || found=''
fi
if [ -n "$found" ]; then
    image=$found
    wait_for_services postgres
else
    begin "starting PostgreSQL $data"
    [ -n "$image" ] || find_image
    serve "$present"
fi
needed=$(($(inside postgres size </dev/null) / 1048576 + 100)) free=$(($(inside postgres free </dev/null) / 1024))
others=$(inside postgres others </dev/null)
role=$(role_of postgres)

if [ "$data" = "$program" ]; then what="PostgreSQL $data gets a new volume"; else what="PostgreSQL $data becomes $program"; fi
echo "$what ($image is what goes). The apps stop meanwhile."
echo "The new volume needs up to $needed MB, and $free MB are free there; the backup up to as much in $backups."
[ -z "$others" ] || printf 'These stay behind in the old volume, since a backup does not hold them:\n%s\n' "$others"
[ "$free" -gt "$needed" ] || fail "There is too little room for it. Nothing was changed."
ask
new=postgres_data_$program number=1
while docker volume inspect "${project}_$new" >/dev/null 2>&1; do
    number=$((number + 1))
    new=postgres_data_${program}_$number
done
start "$new"
begin 'backing up'
# shellcheck disable=SC2086 # two words, or none
sh deploy/backup.sh $options --reason "before PostgreSQL $program"
backup=$backups/$(list_backups | tail -n 1)

begin "restoring it into PostgreSQL $program"
export POSTGRES_VOLUME="$target"
compose --progress quiet run --detach --no-deps --name "$beside" postgres >/dev/null
wait_until_healthy "$beside" postgres
in_new() {
    docker exec -i "$beside" sh -c "$(cat deploy/data/postgres.sh)" postgres.sh "$1"
}
in_new restore <"$backup/postgres.backup"
[ "$(in_new count </dev/null | sed 's/^count //' | sort)" = "$(told "$backup" count | sed -n 's/^postgres //p' | sort)" ] ||
    fail "The new database does not hold what was counted when the backup was made."
docker stop -t 60 "$beside" >/dev/null
docker rm "$beside" >/dev/null

begin "putting PostgreSQL $program in its place"
use_volume "$target"
serve "$target"
begin 'starting the apps'
# From here on, rows are written that the old volume does not have.
served=yes state="PostgreSQL $program is in service. Back to the version before: sh deploy/upgrade-postgres.sh$options --back"
rm -f "$interrupted"
start_them_anew
echo "PostgreSQL $program is in service; the apps were stopped for $(($(date +%s) - stopped_at)) s."
echo "The way back: sh deploy/upgrade-postgres.sh$options --back"
echo "When you no longer need it, remove the old data: docker volume rm ${project}_$present"
