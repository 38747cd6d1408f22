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

cd "$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)" || exit 1

environment=production
if [ "${1-}" = --env ]; then
    [ $# -ge 2 ] || fail "Name the environment: --env NAME."
    environment=$2
    shift 2
fi
case $environment in
    production) project=fapgrd-prod env_file=.env ;;
    prod | *[!a-z0-9-]* | -* | '') fail "$environment cannot be an environment's name: use a-z, 0-9 and dashes." ;;
    *) project=fapgrd-$environment env_file=deploy/env/$environment.env ;;
esac
# For messages and calls of other scripts.
if [ "$environment" = production ]; then options=''; else options=" --env $environment"; fi
if [ ! -r "$env_file" ]; then
    fail "$env_file is missing or cannot be read: make it with sh deploy/init-env.sh$options"
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
set_here=$(settings) || fail "$env_file: $set_here"
# What the file sets comes from no shell.
own=" $(echo "$set_here" | tr '\n' ' ')"
for name in $passing; do
    case $own in *" $name "*) hidden="$hidden $name" ;; esac
done

# Before anything starts: what the stack does not start without.
look_for_settings() {
    required='SECRET_KEY POSTGRES_PASSWORD REDIS_PASSWORD' missing=''
    for name in $required; do
        # Compose takes a comment alone for the value.
        case $(setting "$name" '') in '' | '# '*) missing="$missing $name" ;; esac
    done
    [ -z "$missing" ] || fail "Not set in $env_file:$missing. This adds what is missing: sh deploy/init-env.sh$options"
}

docker info >/dev/null 2>&1 || fail "Docker does not answer: is it running, and may you use it?"

[ "$(docker info --format '{{.Swarm.ControlAvailable}}')" = true ] ||
    fail "This is no manager of a swarm: docker swarm init, or run it on a manager."
# It would use the same ports and volumes.
[ -z "$(docker ps --quiet --filter "label=com.docker.compose.project=$project")" ] ||
    fail "Compose runs the stack here: docker compose -f docker-compose.prod.yml -p $project --env-file $env_file down; its data is taken over."
case $PWD in *,*) fail "Docker takes no path with a comma: move the project." ;; esac
# The node that has a label: services with volumes, or the proxy, run there alone.
node_with() {
    docker node ls --quiet --filter "node.label=fapgrd.$1=true"
}
# Swarm takes names of 64 characters.
mark=$(printf %.50s "$project")_in-progress
own_node=$(docker info --format '{{.Swarm.NodeID}}')

# What the apps take themselves for, unless the settings say otherwise.
ENVIRONMENT=$(setting ENVIRONMENT "$environment")
export ENVIRONMENT

# What the scripts note down lies beside them, out of git's sight.
mkdir -p deploy/state && [ -e deploy/state/.gitignore ] || echo '*' >deploy/state/.gitignore ||
    fail "deploy/state cannot be written."

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
    [ "$1" = deploy ] || return 0
    # The whole swarm's. It stays where a run is killed. Call unlock in traps, which are set after this.
    trap '' HUP INT QUIT TERM PIPE
    until printf '%s process %s since %s' "$(uname -n)" $$ "$(date -u +%Y-%m-%dT%H:%M:%SZ)" |
        docker config create "$mark" - >/dev/null 2>&1; do
        holder=$(docker config inspect --format '{{printf "%s" .Spec.Data}}' "$mark" 2>/dev/null || true)
        case $holder in
            "$(uname -n) process "*)
                holder=${holder#* process }
                ! is_alive "${holder%% *}" && docker config rm "$mark" >/dev/null && continue
                ;;
        esac
        fail "Another run has not ended: docker config inspect --pretty $mark; if that is dead, docker config rm $mark"
    done
    locked=yes
}
# Whether a process runs: one that ended may still have its number.
is_alive() {
    case $(sed -n 's/^State:[[:space:]]*//p' "/proc/$1/status" 2>/dev/null) in '' | Z*) return 1 ;; esac
}
unlock() {
    [ -z "${locked-}" ] || docker config rm "$mark" >/dev/null || true
    locked=''
}

# One line per run: when, what, by whom, how it ended.
history_file=deploy/state/$project.log
note() {
    printf '%s %s by=%s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" "$(id -un)" >>"$history_file" ||
        echo "$me: $history_file cannot be written." >&2
}

# Ids of the services' containers that run on this node; with --all, of those that do not, too.
containers() {
    all=''
    [ "$1" != --all ] || { all=$1 && shift; }
    for service; do
        # shellcheck disable=SC2086 # an option, or none
        docker ps $all --quiet --no-trunc --filter "label=com.docker.swarm.service.name=${project}_$service"
    done
}

# The end of a service's log. Docker may wait for ever for that of a container that never started.
service_log() {
    timeout 20 docker service logs --tail 30 --raw "$1" >&2 || true
}
# Swarm's own words about a service: replicas that run, and those that are wanted.
running() {
    number=$(docker service ls --filter "name=${project}_$1" --format '{{.Name}} {{.Replicas}}' |
        sed -n "s/^${project}_$1 \([0-9]*\).*/\1/p")
    echo "${number:-0}"
}
wanted() {
    docker service inspect --format '{{.Spec.Mode.Replicated.Replicas}}' "${project}_$1"
}
# Waits until as many containers of a service run as are wanted; they count when they are healthy.
wait_for_replicas() {
    waited=0
    # Those on a node that is down count as well.
    until [ "$(running "$1")" -ge "$(wanted "$1")" ]; do
        if [ "$waited" -ge "$limit" ]; then
            docker service ps --no-trunc --format '{{.Name}} {{.CurrentState}} {{.Error}}' "${project}_$1" | head -n 5 >&2
            service_log "${project}_$1"
            echo "$me: $1 is not healthy after $waited s." >&2
            return 1
        fi
        sleep 1
        waited=$((waited + 1))
    done
}
scale() {
    docker service scale --detach "${project}_$1=$2" >/dev/null
}
limit=$(number DEPLOY_TIMEOUT 300)

# What is to be said where the files name another major version than the data is of; else nothing.
version_apart() {
    # Another node's volumes cannot be seen.
    volume=${project}_$(setting POSTGRES_VOLUME postgres_data)
    docker volume inspect "$volume" >/dev/null 2>&1 || return 0
    versions=$(docker run --rm --network none --read-only --cap-drop ALL --user 999:999 \
        --volume "$volume":/var/lib/postgresql/data:ro --entrypoint sh pgvector/pgvector:pg15 \
        -c "$(cat deploy/data/postgres.sh)" postgres.sh versions) || return
    case $versions in 'none '*) return ;; esac
    [ "${versions% *}" = "${versions#* }" ] || echo \
        "The files name PostgreSQL ${versions#* }, which does not read the data of ${versions% *}: deploy/swarm/README.md says how to move it"
}

# Runs deploy/data/SERVICE.sh in the service's container: inside SERVICE VERB
inside() {
    inside_id=$(containers "$1" | head -n 1)
    [ -n "$inside_id" ] || fail "$1 does not run on this node: docker service ps ${project}_$1"
    docker exec -i "$inside_id" sh -c "$(secrets_of "$1"; cat "deploy/data/$1.sh")" "$1.sh" "$2"
}
# Backups are read and written on the node with the volumes.
data_here() {
    node_with data | grep -qx "$own_node" || fail "The data is on another node: run this there."
}
# In its container, secrets are files; these words of its shell read them.
# shellcheck disable=SC2016
secrets_of() {
    case $1 in
        postgres) echo 'POSTGRES_PASSWORD=$(cat /run/secrets/POSTGRES_PASSWORD); export POSTGRES_PASSWORD' ;;
        redis) echo 'REDISCLI_AUTH=$(cat /run/secrets/REDIS_PASSWORD); export REDISCLI_AUTH' ;;
    esac
}

# The same in a container of its own with the service's volume, not to need the service itself.
beside() {
    beside_name=$1 beside_service=$1
    case $1 in
        redis) beside_volume=redis_data:/data beside_user=999:1000 ;;
    esac
    docker run --rm --interactive --network none --read-only --tmpfs /tmp --cap-drop ALL --user "$beside_user" \
        --volume "${project}_$beside_volume" --entrypoint sh \
        "$(docker service inspect --format '{{.Spec.TaskTemplate.ContainerSpec.Image}}' "${project}_$beside_service")" \
        -c "$(cat "deploy/data/$beside_name.sh")" "$beside_name.sh" "$2"
}
start_services() {
    for service; do
        [ "$(wanted "$service")" -gt 0 ] || scale "$service" 1
        wait_for_replicas "$service" || return
    done
}
stop_service() {
    scale "$1" 0
    waited=0
    while [ -n "$(containers "$1")" ]; do
        [ "$waited" -lt "$limit" ] || fail "$1 does not stop: docker service ps ${project}_$1"
        sleep 1
        waited=$((waited + 1))
    done
}
stop_apps() {
    scale app 0
    # Where a node is down, its containers count for ever.
    waited=0 stopping='app'
    while [ "$waited" -lt 60 ]; do
        still=''
        for app in $stopping; do
            [ "$(running "$app")" = 0 ] || still=yes
        done
        [ -n "$still" ] || break
        sleep 1
        waited=$((waited + 1))
    done
}
start_apps() {
    scale app "$(number APP_REPLICAS 2)"
    wait_for_replicas app
}
