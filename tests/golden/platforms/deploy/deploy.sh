#!/bin/sh
# Puts a new version into service without a gap: it starts beside the old one and gets the requests
# when it is healthy. Whatever fails before that, the old version keeps serving; the exit code is 1.
#   sh deploy/deploy.sh [--env NAME]                builds what lies in this folder
#   sh deploy/deploy.sh [--env NAME] --pull         the same, on the newest base images
#   sh deploy/deploy.sh [--env NAME] TAG            takes the images of that tag
#   sh deploy/deploy.sh [--env NAME] --switch TAG   the same, without backup and migrations
#   sh deploy/deploy.sh [--env NAME] [--login USER] TAG APP=IMAGE@sha256:DIGEST ...
#       takes exactly these images, and calls them TAG; with the registry's password on its input
# Before these: --no-backup.
# shellcheck disable=SC2086 # names and ids without quotes are words of a list
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "$0")/common.sh"
# What a new version replaces, and what the proxy passes requests on to.
apps='app frontend worker scheduler' web='app frontend'

build=yes only_switch='' pull='' user='' backup=yes version=''
while :; do
    case ${1-} in
        --no-backup) backup='' ;;
        --pull) pull=--pull ;;
        --login)
            [ $# -ge 2 ] || fail "Name the user: --login USER."
            user=$2
            shift
            ;;
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
look_for_settings

# The images by name, and by digest where one is given.
image_names() {
    IMAGE_APP=$(setting IMAGE_APP all-app)
    IMAGE_FRONTEND=$(setting IMAGE_FRONTEND all-frontend)
}
image_names
digest_app='' digest_frontend='' changed=''
for given; do
    image=${given#*=} digest=${given##*@}
    image=${image%@*}
    case $digest in sha256:*[!0-9a-f]* | sha256:) digest='' ;; sha256:*) ;; *) digest='' ;; esac
    case $image in -* | *[!a-z0-9./:_-]*) image='' ;; esac
    [ -n "$digest" ] && [ -n "$image" ] || fail "$given is not of the form APP=IMAGE@sha256:DIGEST."
    case ${given%%=*} in
        app) changed="$changed IMAGE_APP=$image" IMAGE_APP=$image digest_app=$digest ;;
        frontend) changed="$changed IMAGE_FRONTEND=$image" IMAGE_FRONTEND=$image digest_frontend=$digest ;;
        *) fail "$given is not one of these apps: app frontend." ;;
    esac
    # A name that another image has already is not taken from it.
    known=$(docker image inspect --format '{{.RepoDigests}}' "$image:$version" 2>/dev/null) || continue
    case $known in
        *"@$digest"*) ;;
        *) version=$version-$(printf %.6s "${digest#sha256:}") ;;
    esac
done

limit=$(number DEPLOY_TIMEOUT 300)
drain_limit=$(number DRAIN_SECONDS 30)
lock deploy
started=$(date +%s)
old=$(setting TAG latest)
commit=$(git describe --always --exclude='*' --abbrev=12 --dirty 2>/dev/null || true)
[ -n "$version" ] || version=$(date -u +%Y%m%d-%H%M%S)${commit:+-$commit}
REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)
TAG=$version
export REVISION TAG IMAGE_APP IMAGE_FRONTEND

doing='reading the settings' serving='' switched='' undo='' login=''
[ -z "$(containers $apps)" ] || serving=$old
finish() {
    code=$?
    trap '' HUP INT QUIT TERM PIPE
    drop_draft
    [ -z "$login" ] || rm -rf "$login"
    [ -n "$switched" ] || [ -z "$undo" ] || $undo || true
    [ "$code" -eq 0 ] && result=ok || result="failed while $doing"
    note "deploy version=$version before=$old seconds=$(($(date +%s) - started)) result=\"$result\""
    if [ "$code" -ne 0 ]; then
        [ -n "$serving" ] && serving="In service is version $serving." || serving="Nothing is in service."
        fail "Failed while $doing. $serving"
    fi
    sh deploy/prune.sh $options || true
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 131' QUIT
trap 'exit 143' TERM
# Nobody listens any more, as when the connection to a server is lost.
trap 'exit 141' PIPE

begin() {
    doing=$1
    echo "-- $doing"
}

name_of() {
    docker inspect --format '{{.Name}}' "$1" | sed 's|^/||'
}

# The proxy sends the requests for APP to the container that /run/live/APP names. Outside a
# deployment that is APP itself, the service.
caddy='' proxied=''
point() {
    docker exec "$caddy" sh -c 'echo "$2" >"/run/live/.$1" && mv "/run/live/.$1" "/run/live/$1"' \
        sh "$1" "$2"
}
# Where an app answers: its port, and a path of it.
probe_of() {
    case $1 in
        app) echo 8000/health ;;
        frontend) echo 3000/api/health ;;
    esac
}
# Whether the proxy gets an answer, whatever it says, from a container of an app.
is_reached() {
    docker exec "$caddy" wget -S -T 10 -Y off -O /dev/null "http://$(name_of "$2"):$(probe_of "$1")" 2>&1 | grep -q 'HTTP/' || {
        show_log "$2" "$1"
        echo "$me: The proxy does not reach $1: does it listen on 0.0.0.0, not on 127.0.0.1 alone?" >&2
        return 1
    }
}
point_to_services() {
    for app in $web; do
        point "$app" "$app"
    done
}

tag_of() {
    docker inspect --format '{{.Config.Image}}' "$1" | sed 's/.*://'
}

# The container of a service that is in service: the one the proxy names, else one of the version
# in the settings, else any.
live() {
    named=$(docker exec "$caddy" cat "/run/live/$1" 2>/dev/null || true) found=''
    candidates=$(containers "$1")
    for id in ${candidates:-$(containers --all "$1")}; do
        if [ "$(name_of "$id")" = "$named" ]; then
            found=$id
            break
        fi
        { [ -n "$found" ] && [ "$(tag_of "$id")" != "$old" ]; } || found=$id
    done
    printf %s "$found"
}

# Removes what is not in service: the new version when it failed, or what a killed run left.
keep=''
remove_others() {
    for id in $(containers --all $apps); do
        case " $keep " in *" $id "*) ;; *) docker rm --force --volumes "$id" >/dev/null || true ;; esac
    done
}
give_up() {
    for app in $web; do
        for id in $(containers "$app"); do
            case " $keep " in *" $id "*) point "$app" "$(name_of "$id")" ;; esac
        done
    done
    remove_others
    [ -z "$scheduler" ] || docker start "$scheduler" >/dev/null || true
    point_to_services
    [ -z "$proxied" ] || printf %s "$proxied" | docker exec -i "$caddy" caddy reload --config - >/dev/null 2>&1 || true
}

# Waits until nobody is connected to a container's port any more: downloads, streams, WebSockets.
drain() {
    waited=0 port=$(printf %04X "$2")
    while [ "$waited" -lt "$drain_limit" ] && docker exec "$1" cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
        grep -v ': [0-9A-F]*0100007F:' | grep -q "^ *[0-9]*: [0-9A-F]*:$port [0-9A-F:]* 01 "; do
        sleep 1
        waited=$((waited + 1))
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
        '' | localhost) asked=http://$address:80 ;;
        *) if [ "$scheme" = http ]; then asked=http://$host:80; else asked=https://$host:443; fi ;;
    esac
    docker run --rm --read-only --cap-drop ALL --network "${project}_web" --add-host "${host:-localhost}:$address" --entrypoint wget \
        caddy:2-alpine -S -T 10 -Y off --no-check-certificate -O /dev/null "$asked$1" 2>&1 |
        sed -n 's|^ *HTTP/[0-9.]* \([0-9]*\).*|\1|p' | head -n 1
}
# Asks for each app.
ask_for_all() {
    address=$(docker inspect --format '{{(index .NetworkSettings.Networks "'"${project}_web"'").IPAddress}}' "$caddy")
    set -- app=/health frontend=/api/health
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
                echo "$me: The proxy answers $status for ${probe%%=*}, at $url${probe#*=}: $compose_shown logs caddy" >&2
                return 1
                ;;
            '')
                echo "$me: $url does not answer yet; with a domain, its certificate may be missing: $compose_shown logs caddy" >&2
                return
                ;;
        esac
    done
}
say_in_service() {
    echo "Version $version is in service at $url after $(($(date +%s) - started)) s."
}

# Makes missing containers. Compose knows of their dependencies, else its next `up` would make them
# anew; but it does not start those, which would migrate the database.
create() {
    compose --progress quiet create --no-build --no-recreate "$@"
}
# Puts the version of TAG in place of whatever there is.
place() {
    for id in $(containers --all $apps); do
        docker stop "$id" >/dev/null || true
        docker rm --force --volumes "$id" >/dev/null || true
    done
    create $apps || return
    for id in $(containers --all $apps); do
        docker start "$id" >/dev/null && wait_until_healthy "$id" "$(name_of "$id")" || return
    done
}

# A registry's password is forgotten when this run ends.
log_in() {
    # Another configuration folder has no contexts.
    DOCKER_HOST=$(docker context inspect --format '{{.Endpoints.docker.Host}}')
    export DOCKER_HOST
    rm -rf deploy/state/"$project".login.?????? # what a killed run left
    login=$(mktemp -d "$PWD/deploy/state/$project.login.XXXXXX")
    case ${1%%/*} in *[.:]* | localhost) registry=${1%%/*} ;; *) registry=docker.io ;; esac
    docker --config "$login" login --username "$user" --password-stdin "$registry" >/dev/null 2>&1 ||
        fail "$registry did not accept the user $user and the password."
}
pull() {
    docker ${login:+--config "$login"} pull --quiet "$1"
}

# The image of an app in the version asked for: by its digest, else pulled if it has a registry's
# name, or it is here.
obtain() {
    image=$1:$version
    if [ -n "$2" ]; then
        docker image inspect "$1@$2" >/dev/null 2>&1 || pull "$1@$2"
        docker tag "$1@$2" "$image"
        # Under a new name the version before is still to be found.
        [ "$1" = "$3" ] || docker tag "$3:$old" "$1:$old" 2>/dev/null || true
    elif [ "${1#*/}" != "$1" ] && { [ -z "$only_switch" ] || ! docker image inspect "$image" >/dev/null 2>&1; }; then
        pull "$image"
    elif ! docker image inspect "$image" >/dev/null 2>&1; then
        fail "There is no image $image; docker image ls $1 shows which there are."
    fi
}

# The version before, where nothing ran and the new one cannot be started; else nothing.
start_old_version() {
    TAG=$old
    image_names
    if (place && compose --progress quiet up --detach --no-deps --wait caddy) >/dev/null 2>&1; then
        serving=$old
    else
        compose --progress quiet stop $apps || true
    fi
}

compose config --quiet
# Another major version would take the place of the one that serves, and then not read its files.
doing='looking at the data of PostgreSQL'
apart=$(version_apart)
if [ -n "$apart" ]; then
    # What only switches leaves it as it runs.
    [ -n "$only_switch" ] && [ -n "$(containers postgres)" ] || fail "$apart"
    echo "$me: $apart" >&2
fi
# The new settings are written already, while a full disk does no harm.
draft_settings "TAG=$version" $changed
seen=$(cksum <"$settings_file")
keep_version() {
    # What was edited meanwhile counts.
    [ "$(cksum <"$settings_file")" = "$seen" ] || settings_with "TAG=$version" $changed >"$draft"
    keep_settings
    serving=$version switched=yes
}
# What did not come up, and why, before it is removed.
show_failed() {
    for id in $(docker ps --all --quiet --no-trunc --filter "label=com.docker.compose.project=$project"); do
        case $(state "$id")-$(docker inspect --format '{{.State.ExitCode}}' "$id") in
            healthy-* | created-* | exited-0) ;;
            *) show_log "$id" "$(docker inspect --format '{{index .Config.Labels "com.docker.compose.service"}}' "$id")" ;;
        esac
    done
    return 1
}

begin 'preparing the images'
if [ "$build" = yes ]; then
    compose build $pull
else
    [ -z "$user" ] || log_in "$IMAGE_APP"
    obtain "$IMAGE_APP" "$digest_app" "$(setting IMAGE_APP all-app)"
    obtain "$IMAGE_FRONTEND" "$digest_frontend" "$(setting IMAGE_FRONTEND all-frontend)"
fi

begin 'looking after the databases'
start_services chroma mongodb postgres redis
if [ -n "$backup" ] && { [ -n "$serving" ] || [ -e "$history_file" ]; }; then
    begin 'backing up (--no-backup goes without)'
    sh deploy/backup.sh $options --reason "before deploy $version"
fi
if [ -z "$serving" ]; then
    begin 'starting everything'
    undo=start_old_version
    if [ -z "$only_switch" ]; then
        compose --progress quiet up --detach --no-build --wait --wait-timeout "$limit" || show_failed
        # When its time is over, Compose may end as if all were well.
        for id in $(containers --all $apps); do
            wait_until_healthy "$id" "$(name_of "$id")"
        done
    else
        place
        compose --progress quiet up --detach --no-deps --wait caddy
    fi
    caddy=$(containers caddy)
    begin 'asking the proxy for every app'
    ask_for_all
    keep_version
    say_in_service
    exit
fi
if [ -z "$only_switch" ]; then
    begin 'bringing the database up to date'
    inside postgres extensions </dev/null
    compose --progress quiet run --rm --no-deps --no-TTY migrate </dev/null
fi

begin 'starting the new version beside the old one'
caddy=$(containers caddy)
[ -n "$caddy" ] || fail "The proxy does not run: start it with $compose_shown up -d caddy"
docker exec -i "$caddy" caddy validate --config - --adapter caddyfile <deploy/Caddyfile >/dev/null 2>&1 ||
    fail "deploy/Caddyfile has an error: docker exec -i $caddy caddy validate --config - --adapter caddyfile <deploy/Caddyfile"
for app in $web; do
    running=0
    for id in $(containers "$app"); do
        [ "$(docker inspect --format '{{.HostConfig.RestartPolicy.Name}}' "$id"):$(tag_of "$id")" != "unless-stopped:$old" ] || running=$((running + 1))
    done
    # Where the proxy names one of them, a run was killed before it removed the others.
    named=$(docker exec "$caddy" cat "/run/live/$app" 2>/dev/null || true)
    if [ "$running" -gt 1 ] && [ "${named:-$app}" = "$app" ]; then
        fail "$app runs $running times, but a deployment handles one container of each app: $compose_shown up -d --scale $app=1"
    fi
    id=$(live "$app")
    keep="$keep $id"
    [ -z "$id" ] || { old=$(tag_of "$id") && point "$app" "$(name_of "$id")"; }
done
keep="$keep $(live worker)"
scheduler=$(live scheduler)
keep="$keep $scheduler"
serving=$old undo=give_up
remove_others
new=''
for app in $apps; do
    # Two would start every job twice.
    [ "$app" != scheduler ] || [ -z "$scheduler" ] || docker stop "$scheduler" >/dev/null
    count=$(containers --all "$app" | wc -w)
    create --scale "$app=$((count + 1))" "$app"
    for id in $(containers --all "$app"); do
        case " $keep $new " in *" $id "*) continue ;; esac
        # A proxy of older files is not in every app's network.
        case $app in
            frontend) docker network connect --alias caddy --alias api "${project}_frontend" "$caddy" 2>/dev/null || true ;;
        esac
        # Until it has proven itself, it does not come back by itself.
        docker update --restart no "$id" >/dev/null
        docker start "$id" >/dev/null
        new="$new $id"
        wait_until_healthy "$id" "$(name_of "$id")"
        case " $web " in *" $app "*) is_reached "$app" "$id" ;; esac
    done
done

begin 'moving the requests to the new version'
for app in $web; do
    for id in $(containers "$app"); do
        case " $new " in *" $id "*) point "$app" "$(name_of "$id")" ;; esac
    done
done
proxied=$(docker exec "$caddy" wget -q -O - http://127.0.0.1:2019/config/ 2>/dev/null || true)
docker exec -i "$caddy" caddy reload --config - --adapter caddyfile <deploy/Caddyfile >/dev/null 2>&1 ||
    echo "$me: The proxy did not take deploy/Caddyfile: $compose_shown logs caddy" >&2
begin 'asking the proxy for every app'
ask_for_all
trap '' HUP INT QUIT TERM PIPE
docker update --restart unless-stopped $new >/dev/null
keep_version

begin 'waiting for open requests, then stopping the old version'
for id in $(containers app); do
    case " $keep " in *" $id "*) drain "$id" 8000 ;; esac
done
for id in $(containers frontend); do
    case " $keep " in *" $id "*) drain "$id" 3000 ;; esac
done
for id in $keep; do
    docker stop "$id" >/dev/null || true
done
keep=$new
remove_others
point_to_services

compose config --hash caddy,chroma,mongodb,postgres,redis | while read -r service hash; do
    id=$(containers "$service")
    [ "$service" != postgres ] || [ -z "$apart" ] || continue
    [ -z "$id" ] || [ "$(docker inspect --format '{{index .Config.Labels "com.docker.compose.config-hash"}}' "$id")" = "$hash" ] ||
        echo "$service runs with older settings. To apply the new ones, with a short gap: $compose_shown up -d $service"
done
say_in_service
