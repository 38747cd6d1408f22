# shellcheck shell=sh disable=SC2034
# What the scripts beside it share; not run by itself.
# Every script takes --env NAME first: deploy/env/NAME.env instead of .env, and a stack of its own.

# Settings come from the settings file alone. Of the shell that calls a script, this passes: what
# Docker needs and, hidden from it, what backup.sh, rclone and restic take.
exported=$(awk 'BEGIN { for (name in ENVIRON) if (name ~ /^[A-Za-z_][A-Za-z0-9_]*$/) print name }')
passing='' hidden=''
for name in $exported; do
    case $name in
        PATH | PWD | HOME | SSH_AUTH_SOCK | DOCKER_* | BUILDKIT_* | BUILDX_*) ;;
        COMPOSE_ANSI | COMPOSE_BAKE | COMPOSE_PARALLEL_LIMIT) ;;
        TERM | TMPDIR | XDG_* | SSL_CERT_FILE | SSL_CERT_DIR) passing="$passing $name" ;;
        HTTP_PROXY | HTTPS_PROXY | ALL_PROXY | NO_PROXY) passing="$passing $name" ;;
        http_proxy | https_proxy | all_proxy | no_proxy) passing="$passing $name" ;;
        USER | LOGNAME | LANG | LC_* | KEEP_BACKUP | RESTIC_* | RCLONE_*) hidden="$hidden $name" ;;
        AWS_* | AZURE_* | B2_* | GOOGLE_* | OS_* | ST_*) hidden="$hidden $name" ;;
        *) command unset "$name" 2>/dev/null || true ;;
    esac
done

me=$(basename -- "$0" .sh)
fail() {
    echo "$me: $1" >&2
    exit 1
}

cd "$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)" || exit 1

environment=production
if [ "${1-}" = --env ]; then
    [ $# -ge 2 ] || fail "Name the environment: --env NAME."
    environment=$2
    shift 2
fi
case $environment in
    production) project=nxpg-prod env_file=.env ;;
    prod | *[!a-z0-9-]* | -* | '') fail "$environment cannot be an environment's name: use a-z, 0-9 and dashes." ;;
    *) project=nxpg-$environment env_file=deploy/env/$environment.env ;;
esac
# For messages and calls of other scripts.
if [ "$environment" = production ]; then
    options='' compose_shown='docker compose -f docker-compose.prod.yml'
else
    options=" --env $environment" compose_shown="docker compose -f docker-compose.prod.yml -p $project --env-file $env_file"
fi
# What a script cannot do without. status.sh, which sets looking, says it and goes on.
lacks() {
    [ -n "${looking-}" ] || fail "$1"
    lacking="${lacking-}$1
"
}
if [ ! -r "$env_file" ]; then
    lacks "$env_file is missing or cannot be read: make it with sh deploy/init-env.sh$options"
    env_file=/dev/null
fi

# A setting of the environment's file with the value that Docker Compose gives it, or the default.
settings() (
    # shellcheck disable=SC2086 # names are words
    unset $hidden
    LC_ALL=C awk "$@" -f deploy/settings.awk <"$env_file"
)
setting() {
    value=$(settings -v "of=$1") || fail "$env_file: $value"
    printf %s "${value:-$2}"
}
number() {
    value=$(setting "$1" "$2")
    case $value in *[!0-9]* | '') fail "$1 in $env_file must be a whole number, not $value." ;; esac
    printf %s "$value"
}
set_here=$(settings) || {
    lacks "$env_file: $set_here"
    env_file=/dev/null set_here=''
}
# What the file sets comes from no shell.
own=" $(echo "$set_here" | tr '\n' ' ')"
for name in $passing; do
    case $own in *" $name "*) hidden="$hidden $name" ;; esac
done

# Before anything starts: what the stack does not start without.
look_for_settings() {
    required=POSTGRES_PASSWORD missing=''
    for name in $required; do
        # Compose takes a comment alone for the value.
        case $(setting "$name" '') in '' | '# '*) missing="$missing $name" ;; esac
    done
    [ -z "$missing" ] || fail "Not set in $env_file:$missing. This adds what is missing: sh deploy/init-env.sh$options"
}

docker info >/dev/null 2>&1 || {
    lacks "Docker does not answer: is it running, and may you use it?"
    docker() { return 1; }
}
[ -z "$(docker ps --quiet --filter "label=com.docker.stack.namespace=$project")" ] ||
    fail "$project runs in a swarm here; end that first: docker stack rm $project"
# A second checkout would take the first one's containers over.
docker ps --all --filter "label=com.docker.compose.project=$project" \
    --format '{{.Label "com.docker.compose.project.working_dir"}}' | sort -u | while read -r folder; do
    [ ! -d "$folder" ] || [ "$(cd "$folder" && pwd -P)" = "$(pwd -P)" ] ||
        fail "$project runs from $folder: use that, or --env NAME for a second stack."
done || exit 1

compose() (
    # shellcheck disable=SC2086 # names are words
    unset $hidden
    exec docker compose -f docker-compose.prod.yml -p "$project" --env-file "$env_file" "$@"
)

# What the scripts note down lies beside them, out of git's sight.
mkdir -p deploy/state && [ -e deploy/state/.gitignore ] || echo '*' >deploy/state/.gitignore ||
    lacks "deploy/state cannot be written."

# New settings are whole on the disk, and nobody else's to read, before they take the place of the
# old ones in one step. Under the lock deploy: draft_settings NAME=VALUE ..., then keep_settings.
settings_file=$(readlink -f "$env_file") draft=''
draft_settings() {
    # What a killed run left: a copy of all secrets.
    rm -f deploy/state/"$project".draft.?????? "$settings_file".draft.??????
    stem=deploy/state/$project
    # A file moves in one step on its own disk alone.
    [ "$(stat -c %d deploy/state)" = "$(stat -c %d "$settings_file")" ] || stem=$settings_file
    draft=$(umask 077 && mktemp "$stem.draft.XXXXXX") || fail "$(dirname -- "$stem") cannot be written."
    settings_with "$@" >"$draft" || fail "$draft cannot be written."
}
# awk ends the last line where nobody did.
settings_with() {
    names=''
    for pair; do names="$names${names:+|}${pair%%=*}"; done
    awk -v names="$names" '$0 !~ "^[ \t]*(export[ \t]+)?(" names ")[ \t]*="' "$settings_file" &&
        printf '%s\n' "$@"
}
keep_settings() {
    chmod "$(stat -c %a "$settings_file")" "$draft"
    chown "$(stat -c %u:%g "$settings_file")" "$draft" 2>/dev/null || true
    mv -f "$draft" "$settings_file"
    draft=''
}
drop_draft() {
    [ -z "$draft" ] || rm -f "$draft"
    draft=''
}

# One run at a time; the kernel frees the lock when its holder and all that it started have ended. A
# second lock needs another file descriptor: lock NAME 8
lock() {
    command -v flock >/dev/null || fail "flock is missing: install it (util-linux)."
    file=deploy/state/$project.$1.lock
    (: >>"$file") 2>/dev/null || fail "$file cannot be written: does it belong to another user?"
    if [ "${2-9}" = 9 ]; then
        exec 9>>"$file"
    else
        exec 8>>"$file"
    fi
    waited=0
    until flock -n "${2-9}"; do
        read -r holder caller <"$file" || holder='' caller=''
        # A backup is waited for, and what a killed run started and left behind.
        [ "$1" = backup ] || ! is_alive "$holder" || ! is_alive "$caller" || fail "Another run ($1, process $holder) has not ended yet: wait for it."
        [ "$waited" -lt 900 ] || fail "Another run ($1, process $holder) has not ended after 15 min: ps ax | grep deploy/"
        [ "$waited" -gt 0 ] || echo "$me: Another run ($1, process $holder) has not ended yet: waiting for it." >&2
        sleep 1
        waited=$((waited + 1))
    done
    echo "$$ $PPID" >"$file"
}
# Whether a process runs: one that ended may still have its number.
is_alive() {
    case $(sed -n 's/^State:[[:space:]]*//p' "/proc/$1/status" 2>/dev/null) in '' | Z*) return 1 ;; esac
}

# One line per run: when, what, by whom, how it ended.
history_file=deploy/state/$project.log
note() {
    printf '%s %s by=%s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" "$(id -un)" >>"$history_file" ||
        echo "$me: $history_file cannot be written." >&2
}

# Ids of the services' containers that run; with --all, of those that do not, too.
containers() {
    all=''
    [ "$1" != --all ] || { all=$1 && shift; }
    for service; do
        # shellcheck disable=SC2086 # an option, or none
        docker ps $all --quiet --no-trunc --filter "label=com.docker.compose.project=$project" \
            --filter "label=com.docker.compose.service=$service" --filter label=com.docker.compose.oneoff=False
    done
}

# A container's state in one word: healthy, starting, unhealthy, or how it ended.
state() {
    docker inspect --format '{{if ne .State.Status "running"}}{{.State.Status}}{{else if .State.Health}}{{.State.Health.Status}}{{else}}healthy{{end}}' \
        "$1" 2>/dev/null || echo gone
}
# The end of a container's log. More of it is kept, as the container may be removed: of the first
# one that fails in a run, since after it the version before is tried.
limit='' logs_kept=''
show_log() {
    echo "-- the last lines of $2's log" >&2
    docker logs --tail 30 "$1" >&2 || true
    case " $logs_kept " in *" $2 "*) return ;; esac
    logs_kept="$logs_kept $2" log=deploy/state/failed/$project.$2.log
    if (umask 077 && mkdir -p deploy/state/failed && docker logs --timestamps --tail 10000 "$1" >"$log" 2>&1); then
        echo "-- more is in $log" >&2
    fi
}
# What no log tells: the kernel ends a process that wants more memory than its container may have.
say_if_full() {
    [ "$(docker inspect --format '{{.State.OOMKilled}}' "$1" 2>/dev/null)" = true ] || return 0
    service=$(docker inspect --format '{{index .Config.Labels "com.docker.compose.service"}}' "$1" | tr '[:lower:]' '[:upper:]')
    echo "$me: It wanted more memory than its limit: raise ${service}_MEMORY in $env_file." >&2
}
# Waits until a container is healthy: ID NAME [patiently]. With patience also for one that is not
# healthy yet, or no longer, and for one that ends and comes back, up to three times.
wait_until_healthy() {
    limit=${limit:-$(number DEPLOY_TIMEOUT 300)}
    waited=0 restarts=$(docker inspect --format '{{.RestartCount}}' "$1")
    while state=$(state "$1") && [ "$state" != healthy ]; do
        case $state in
            starting | created) ;;
            gone) break ;;
            *) [ -n "${3-}" ] && [ "$(docker inspect --format '{{.RestartCount}}' "$1")" -lt $((restarts + 3)) ] || break ;;
        esac
        [ "$waited" -lt "$limit" ] || break
        sleep 1
        waited=$((waited + 1))
    done
    [ "$state" != healthy ] || return 0
    show_log "$1" "$2"
    echo "$me: $2 is $state after $waited s; its log is above." >&2
    say_if_full "$1"
    return 1
}
# Starts services, without their dependencies. Docker shows one that was paused as unhealthy until it
# has asked again, and Compose's own waiting would give up.
start_services() {
    compose --progress quiet up --detach --no-deps --no-recreate "$@"
    wait_for_services "$@"
}
wait_for_services() {
    for service; do
        for id in $(containers --all "$service"); do
            wait_until_healthy "$id" "$service" patiently || return
        done
    done
}

# What is to be said where the files name another major version than the data is of; else nothing.
version_apart() {
    versions=$(beside postgres versions </dev/null) || return
    case $versions in 'none '*) return ;; esac
    [ "${versions% *}" = "${versions#* }" ] || echo \
        "The files name PostgreSQL ${versions#* }, which does not read the data of ${versions% *}: move it with sh deploy/upgrade-postgres.sh$options"
}

# Runs deploy/data/SERVICE.sh in the service's container: inside SERVICE VERB
inside() {
    inside_id=$(containers "$1" | head -n 1)
    [ -n "$inside_id" ] || fail "$1 does not run: $compose_shown up -d $1"
    docker exec -i "$inside_id" sh -c "$(cat "deploy/data/$1.sh")" "$1.sh" "$2"
}

# The same in a container of its own with the service's volume, not to need the service itself.
beside() {
    compose --progress quiet run --rm --no-deps --no-TTY --entrypoint sh "$1" \
        -c "$(cat "deploy/data/$1.sh")" "$1.sh" "$2"
}
stop_service() {
    compose stop "$1"
}
stop_apps() {
    running=$(containers app)
    # shellcheck disable=SC2086 # ids are words
    [ -z "$running" ] || docker stop $running >/dev/null
}
start_apps() {
    compose up --detach --no-build --wait
}
