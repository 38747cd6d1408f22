#!/bin/sh
# Puts a new version into service: a backup, the migrations, then the apps, container by container. If one
# does not become healthy, Swarm takes it back, and this script the other apps; the exit code is 1.
#   sh deploy/swarm/deploy.sh [--env NAME]          builds what lies in this folder
#   sh deploy/swarm/deploy.sh [--env NAME] TAG      takes the images of that tag
#   sh deploy/swarm/deploy.sh [--env NAME] --switch TAG      the same, without backup and migrations
#   sh deploy/swarm/deploy.sh [--env NAME] TAG APP=IMAGE@sha256:DIGEST ...   exactly these images
# Before these: --no-backup.
# shellcheck disable=SC2030,SC2031 # what a subshell sets is for it alone
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "$0")/common.sh"
apps=app others='caddy postgres redis' services='postgres redis'

build=yes only_switch='' backup=yes version=''
while :; do
    case ${1-} in
        --no-backup) backup='' ;;
        --switch)
            only_switch=yes backup=''
            [ $# -eq 2 ] || fail "Name the version to switch to: --switch TAG."
            ;;
        *) break ;;
    esac
    shift
done
if [ $# -gt 0 ]; then
    build=no version=$1
    shift
    case $version in -* | '' | *[!A-Za-z0-9._-]*) fail "$version is not a tag." ;; esac
fi
commit=$(git describe --always --exclude='*' --abbrev=12 --dirty 2>/dev/null || true)
[ -n "$version" ] || version=$(date -u +%Y%m%d-%H%M%S)${commit:+-$commit}

# The images, by name and tag, or by digest where one is given.
name_app=$(setting IMAGE_APP fapgrd-app) IMAGE_APP=''
for given; do
    digest=${given##*@} image=${given#*=}
    case $digest in sha256:*[!0-9a-f]* | sha256:) digest='' ;; sha256:*) ;; *) digest='' ;; esac
    case ${image%@*} in '' | -* | *[!a-z0-9./:_-]*) image='' ;; esac
    [ -n "$digest" ] && [ -n "$image" ] || fail "$given is not of the form APP=IMAGE@sha256:DIGEST."
    case ${given%%=*} in
        app) IMAGE_APP=$image ;;
        *) fail "$given is not one of these apps: app." ;;
    esac
done
: "${IMAGE_APP:=$name_app:$version}"
export IMAGE_APP

look_for_settings
# Labels say which node has the volumes and which the domain points to; a single node has all.
nodes=$(docker node ls --quiet) labels='data edge'
for label in $labels; do
    having=$(node_with "$label")
    if [ -z "$having" ]; then
        [ "$(echo "$nodes" | wc -l)" -eq 1 ] || fail "No node has the label: docker node update --label-add fapgrd.$label=true NODE"
        docker node update --label-add "fapgrd.$label=true" "$nodes" >/dev/null
    fi
    # A volume is on one node alone: on the other one, a service would begin with an empty one.
    [ "$(echo "$having" | wc -l)" -eq 1 ] || fail "Several nodes have the label: docker node update --label-rm fapgrd.$label NODE"
done
nodes=$(docker node ls --quiet | wc -l)

old=$(setting TAG none)
lock deploy
started=$(date +%s)
doing='reading the settings' serving='' job='' begun='' first=''
finish() {
    code=$?
    trap '' HUP INT QUIT TERM PIPE
    drop_draft
    [ -z "$job" ] || docker service rm "$job" >/dev/null 2>&1 || true
    # Where there is no version before, what was begun stays, to be looked at.
    [ "$code" -eq 0 ] || [ -z "$begun" ] || [ -n "$first" ] || take_back
    unlock
    [ "$code" -eq 0 ] && result=ok || result="failed while $doing"
    note "deploy version=$version before=$old seconds=$(($(date +%s) - started)) result=\"$result\""
    [ "$code" -eq 0 ] || fail "Failed while $doing.${serving:+ In service is version $serving.}"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 131' QUIT
trap 'exit 143' TERM
trap 'exit 141' PIPE
begin() {
    doing=$1
    echo "-- $doing"
}

# What stands in stack.yml as ${…}: the settings' values, where they have one.
for name in \
    DOMAIN SITE_ADDRESS TRUSTED_PROXIES MAX_REQUEST_BODY UPLOAD_TIMEOUT \
    HTTP_PORT HTTPS_PORT APP_REPLICAS CADDY_MEMORY APP_MEMORY MIGRATE_MEMORY \
    POSTGRES_MEMORY REDIS_MEMORY CADDY_CPUS APP_CPUS MIGRATE_CPUS \
    POSTGRES_CPUS REDIS_CPUS WEB_CONCURRENCY FORWARDED_ALLOW_IPS SITE_URLS \
    POSTGRES_USER POSTGRES_DB POSTGRES_SHARED_BUFFERS REDIS_MAXMEMORY \
    REDIS_MAXMEMORY_POLICY POSTGRES_VOLUME; do
    value=$(setting "$name" '')
    if [ -n "$value" ]; then export "$name=$value"; else unset "$name"; fi
done
domain=$(setting DOMAIN '')
more=$(setting MORE_DOMAINS '')
if [ -z "${SITE_ADDRESS-}" ] && [ -n "$domain" ]; then
    export SITE_ADDRESS="$domain${more:+, $more}"
fi
# Where browsers find the site, for the apps.
[ -n "${SITE_URLS-}" ] ||
    export SITE_URLS="https://${domain:-localhost:${HTTPS_PORT:-443},http://localhost:${HTTP_PORT:-80}}${more:+,$more}"
# Of every run another: what Swarm took back has an older one.
DEPLOYMENT=$(date -u +%Y%m%d-%H%M%S)-$$
export DEPLOYMENT

# A name that changes with the content: secrets and configs cannot be changed.
name_for() {
    echo "$(printf %.28s "$project")_$1_$(printf '%s %s' "$project" "$2" | sha256sum | cut -c 1-12)"
}
secret() {
    named=$(name_for "$1" "$2")
    docker secret inspect "$named" >/dev/null 2>&1 ||
        printf %s "$2" | docker secret create --label "com.docker.stack.namespace=$project" "$named" - >/dev/null
    export "SECRET_$1=$named"
}
secret SECRET_KEY "$(setting SECRET_KEY '')"
secret POSTGRES_PASSWORD "$(setting POSTGRES_PASSWORD '')"
secret REDIS_PASSWORD "$(setting REDIS_PASSWORD '')"
# What is set, as lines of NAME=VALUE; a value's further lines begin with a space.
lines=$(
    for name in \
        ACCESS_TOKEN_EXPIRE_MINUTES REFRESH_TOKEN_EXPIRE_DAYS PROJECT_NAME \
        API_V1_STR BACKEND_CORS_ORIGINS SMTP_HOST SMTP_PORT SMTP_USER \
        SMTP_PASSWORD SMTP_TLS MAX_UPLOAD_SIZE ALLOWED_EXTENSIONS LOG_LEVEL \
        LOG_FORMAT TRUST_HOST ALLOWED_HOSTS RATE_LIMIT_ENABLED RATE_LIMIT_REQUESTS \
        RATE_LIMIT_WINDOW SENTRY_DSN ENABLE_METRICS DEBUG; do
        echo "$set_here" | grep -qx "$name" || continue
        value=$(settings -v "of=$name" && echo .)
        printf '%s=%s\n' "$name" "${value%.}" | sed '2,$s/^/ /'
    done
)
secret variables "${lines:-# none}"
CONFIG_caddyfile=$(name_for caddyfile "$(sha256sum <deploy/swarm/Caddyfile)")
export CONFIG_caddyfile
CONFIG_postgres_init=$(name_for postgres_init "$(sha256sum <deploy/postgres-init.sql)")
export CONFIG_postgres_init
export PROJECT="$project"
docker stack config -c deploy/swarm/stack.yml >/dev/null ||
    fail "A setting in $env_file does not fit; ports are plain numbers on a swarm."

# Another major version would stop the one that serves, and then end on its data.
doing='looking at the data of PostgreSQL'
apart=$(version_apart)
[ -z "$apart" ] || fail "$apart"

begin 'preparing the images'
# An image of a Dockerfile.
build_image() {
    file=$1 image=$2
    shift 2
    revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
    docker build --file "$file" --tag "$image" --build-arg "REVISION=$revision" "$@" .
}
if [ "$build" = yes ]; then
    build_image Dockerfile.prod "$IMAGE_APP"
fi
# The image as every node can get it: by its digest, so that all have the same.
shared() {
    case $1 in
        */*)
            if [ "$build" = yes ]; then
                docker push --quiet "$1" >&2 || fail "$1 cannot be pushed: are you logged in (docker login)?"
            else
                docker pull --quiet "$1" >/dev/null || fail "$1 cannot be pulled: is that its name, and are you logged in (docker login)?"
            fi
            case $1 in
                *@*) echo "$1" ;;
                *)
                    name=${1%:*}
                    docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$1" |
                        grep "^${name#docker.io/}@" || echo "$1"
                    ;;
            esac | head -n 1
            ;;
        *)
            [ "$nodes" -eq 1 ] || fail "Other nodes cannot get $1 from here: name a registry in IMAGE_… of $env_file."
            docker image inspect "$1" >/dev/null 2>&1 || fail "There is no image $1."
            echo "$1"
            ;;
    esac
}
IMAGE_APP=$(shared "$IMAGE_APP")

deploy_stack() {
    # Images without a registry are here alone.
    case "$IMAGE_APP " in */*) resolve=changed ;; *) resolve=never ;; esac
    docker stack deploy --detach=true --prune --with-registry-auth --resolve-image "$resolve" -c deploy/swarm/stack.yml "$project" >/dev/null
}
# What a service is made of, and how an update of it goes.
label() {
    docker service inspect --format '{{index .Spec.TaskTemplate.ContainerSpec.Labels "deployment"}}' "${project}_$1" 2>/dev/null
}
update_state() {
    docker service inspect --format '{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}' "${project}_$1" 2>/dev/null
}
revision_of() {
    docker service inspect --format '{{.Version.Index}}' "${project}_$1" 2>/dev/null
}
image_of() {
    docker service inspect --format '{{.Spec.TaskTemplate.ContainerSpec.Image}}' "${project}_$1" 2>/dev/null
}
is_updating() {
    case $(update_state "$1") in updating | rollback_started) ;; *) return 1 ;; esac
}

# Whether a version is in service already.
first=yes
for one in $apps; do
    replicas=$(wanted "$one" 2>/dev/null) || replicas=0
    [ "$replicas" = 0 ] || first=''
done
if [ -n "$first" ]; then old=none; else serving=$(setting TAG ''); fi
# Docker asks the node's resolver for a name that it does not know, as that of a service that is just
# away. One that knows every name would send its requests and passwords to a foreign server.
if docker run --rm --entrypoint sh "$IMAGE_APP" -c \
    '! grep -q "^options.* ndots:[1-9]" /etc/resolv.conf && getent ahostsv4 no-such-service.' >/dev/null 2>&1; then
    advice="This node's resolver knows names that nobody has, so requests could leave the stack: set"
    advice="$advice \"dns-opts\": [\"ndots:1\"] in /etc/docker/daemon.json of every node, and start Docker anew."
    [ -z "$first" ] || fail "$advice"
    echo "$me: $advice" >&2
fi
# After docker stack rm, the networks go a while later; what is made in between would miss them.
waited=0
while [ -z "$(docker service ls --quiet --filter "name=${project}_")" ] && [ "$waited" -lt 60 ] &&
    [ -n "$(docker network ls --quiet --filter "label=com.docker.stack.namespace=$project")" ]; do
    sleep 1
    waited=$((waited + 1))
done
down=$first
for service in $services; do
    [ "$(running "$service")" -ge 1 ] || down=yes
done
if [ -n "$down" ]; then
    begin 'starting the databases'
    # The apps and the proxy keep their version and number; changed settings reach them.
    (
        present() {
            if [ -n "$first" ]; then echo 0; else wanted "$1" 2>/dev/null || echo 0; fi
        }
        APP_REPLICAS=$(present app)
        CADDY_REPLICAS=$(present caddy)
        export APP_REPLICAS CADDY_REPLICAS
        if [ -z "$first" ]; then
            image=$(image_of app) || image=''
            IMAGE_APP=${image:-$IMAGE_APP}
            DEPLOYMENT=$(label app)
        fi
        deploy_stack
    )
    for service in $services; do
        wait_for_replicas "$service"
    done
fi
if [ -n "$backup" ] && [ -z "$first" ]; then
    begin 'backing up (--no-backup goes without)'
    # shellcheck disable=SC2086 # two words, or none
    sh deploy/swarm/backup.sh $options --reason "before deploy $version"
fi
if [ -z "$only_switch" ]; then
    begin 'bringing the database up to date'
    # Where the data is on another node, migrations have to find them.
    [ -z "$(containers postgres)" ] || inside postgres extensions </dev/null
    job=${project}_migrate
    docker service rm "$job" >/dev/null 2>&1 || true  # of a run that was killed
    # On this node, whose files it reads; it runs once, and is removed.
    docker service create --quiet --detach --name "$job" --mode replicated-job --restart-condition none \
        --no-resolve-image --with-registry-auth --constraint "node.id==$own_node" \
        --limit-memory "${MIGRATE_MEMORY:-256M}" --limit-cpu "${MIGRATE_CPUS:-1.0}" --limit-pids 128 \
        --log-driver json-file --log-opt max-size=10m --dns-search . --dns-option ndots:1 \
        --network "${project}_data" --read-only --cap-drop ALL --mount type=tmpfs,target=/tmp \
        --user 999:999 \
        --env POSTGRES_SERVER=postgres \
        --env POSTGRES_PORT=5432 \
        --env POSTGRES_USER="$(setting POSTGRES_USER app)" \
        --env POSTGRES_DB="$(setting POSTGRES_DB fapgrd)" \
        --env EXTENSIONS='pgcrypto uuid-ossp vector' \
        --secret source="$SECRET_POSTGRES_PASSWORD",target=POSTGRES_PASSWORD \
        --mount type=bind,source="$PWD/deploy/migrate.sh",target=/migrate.sh,readonly \
        --mount type=bind,source="$(cd . && pwd)"/database/migrations,target=/migrations,readonly \
        --entrypoint sh pgvector/pgvector:pg15 -c 'POSTGRES_PASSWORD=$(cat /run/secrets/POSTGRES_PASSWORD) exec sh /migrate.sh' >/dev/null
    waited=0
    while :; do
        state=$(docker service ps --format '{{.CurrentState}}' "$job" | head -n 1)
        case $state in
            Complete*) break ;;
            Failed* | Rejected* | Shutdown* | Orphaned*)
                service_log "$job"
                exit 1
                ;;
            Running*) ;;  # as long as it takes
            *)
                waited=$((waited + 1))
                if [ "$waited" -gt "$limit" ]; then
                    docker service ps --no-trunc "$job" >&2 || true
                    echo "$me: It does not start on this node." >&2
                    exit 1
                fi
                ;;
        esac
        sleep 1
    done
    docker service rm "$job" >/dev/null
    job=''
fi

# Services that have been updated in this run go back to what they were.
take_back() {
    for one in $apps $others; do
        case " $apps " in
            *" $one "*) [ "$(label "$one")" = "$DEPLOYMENT" ] || continue ;;
            *)
                case $revisions in *" $one=$(revision_of "$one") "*) continue ;; esac
                # Nothing has changed, or Swarm does it by itself.
                case $(update_state "$one") in '' | rollback_*) continue ;; esac
                ;;
        esac
        docker service rollback --detach "${project}_$one" >/dev/null || true
    done
    for one in $apps $others; do
        waited=0
        while is_updating "$one" && [ "$waited" -lt "$limit" ]; do
            sleep 1
            waited=$((waited + 1))
        done
    done
}

# The site's first address: its scheme, its name and the port that the proxy listens on.
site=$(setting SITE_ADDRESS '')
[ -n "$site" ] || site=$(setting DOMAIN localhost)
site=${site%%[, ]*} scheme=https
case $site in http://*) scheme=http ;; esac
site=${site#*://}
site=${site%%/*}
host=${site%%:*}
case $host in '*'*) host=www${host#\*} ;; esac
if [ "$scheme" = https ]; then
    published=$(setting HTTPS_PORT 443) shown=:443
else
    published=$(setting HTTP_PORT 80) shown=:80
fi
url=$scheme://${host:-localhost}
[ ":${published##*:}" = "$shown" ] || url=$url:${published##*:}

# The status that a visitor gets for a path, by the site's name and whatever the certificate; nothing
# where the proxy does not answer.
ask() {
    case $host in
        # Without a domain, plain HTTP on any address is the same site.
        '' | localhost) asked=http://$address:"$(setting HTTP_PORT 80)" ;;
        *) if [ "$scheme" = http ]; then asked=http://$host:"$(setting HTTP_PORT 80)"; else asked=https://$host:"$(setting HTTPS_PORT 443)"; fi ;;
    esac
    docker run --rm --read-only --cap-drop ALL --network host --add-host "${host:-localhost}:$address" --entrypoint wget \
        caddy:2-alpine -S -T 10 -Y off --no-check-certificate -O /dev/null "$asked$1" 2>&1 |
        sed -n 's|^ *HTTP/[0-9.]* \([0-9]*\).*|\1|p' | head -n 1
}
# Asks for each app.
ask_for_all() {
    address=$(docker node inspect --format '{{.Status.Addr}}' "$(node_with edge)")
    set -- app=/health
    for probe; do
        tries=0
        while status=$(ask "${probe#*=}"); do
            case $status in '' | 50[234]) ;; *) break ;; esac
            tries=$((tries + 1))
            [ "$tries" -lt 3 ] || break
            sleep 1
        done
        case $status in
            50[234])
                echo "$me: The proxy answers $status for ${probe%%=*}, at $url${probe#*=}: docker service logs ${project}_caddy" >&2
                return 1
                ;;
            '')
                echo "$me: $url does not answer yet; with a domain, its certificate may be missing: docker service logs ${project}_caddy" >&2
                return
                ;;
        esac
    done
}
begin 'starting the new version'
revisions=" $(for one in $others; do echo "$one=$(revision_of "$one")"; done | tr '\n' ' ')"
begun=yes
deploy_stack
# An app's containers that run and are of this run.
of_this_run() {
    for id in $(docker service ps --quiet --filter desired-state=running "${project}_$1"); do
        docker inspect --format '{{index .Spec.ContainerSpec.Labels "deployment"}} {{.Status.State}}' "$id" || true
    done | grep -cx "$DEPLOYMENT running" || true
}
is_done() {
    ! is_updating "$1" || return 1
    case " $apps " in
        *" $1 "*) [ "$(of_this_run "$1")" -ge "$(wanted "$1")" ] ;;
        *) [ "$(running "$1")" -ge "$(wanted "$1")" ] ;;
    esac
}
# Whether Swarm has taken it back.
is_back() {
    case $(update_state "$1") in rollback_* | paused) return ;; esac
    case " $apps " in *" $1 "*) [ "$(label "$1")" != "$DEPLOYMENT" ] ;; *) return 1 ;; esac
}
for one in $apps $others; do
    waited=0 longest=$(wanted "$one")
    longest=$((limit * (longest > 0 ? longest : 1)))
    until is_done "$one" && ! is_back "$one"; do
        if is_back "$one" || [ "$waited" -ge "$longest" ]; then
            docker service ps --no-trunc --format '{{.Name}} {{.CurrentState}} {{.Error}}' "${project}_$one" | head -n 4 >&2
            service_log "${project}_$one"
            doing="starting the new version: $one did not become healthy"
            exit 1
        fi
        sleep 1
        waited=$((waited + 1))
    done
done
begin 'asking the proxy for every app'
ask_for_all

# The settings name what runs; names with digests are looked up again by the tag.
doing='writing the settings'
draft_settings "TAG=$version"
keep_settings
serving=$version begun=''

doing='removing secrets and configs that nothing uses any more'
for kind in secret config; do
    for old_one in $(docker "$kind" ls --quiet --filter "label=com.docker.stack.namespace=$project"); do
        # Those in use are refused.
        docker "$kind" rm "$old_one" >/dev/null 2>&1 || true
    done
done
echo "Version $version is in service at $url after $(($(date +%s) - started)) s."
