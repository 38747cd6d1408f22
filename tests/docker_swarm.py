"""A stand-in for docker: logs its calls, and keeps in files what the scripts for a swarm ask about.

There is no swarm anywhere, so this tests the scripts' order and their way with failures, not what
Docker makes of the stack.
"""

from __future__ import annotations

# Everything lies in the folder $DOCKER_STAND_IN. Plans of a test, one shell pattern a line:
# `fails`; `TERM` and `INT`, which send the script that signal after the call; `killed`, where both
# end at once. `versions` is what a look at PostgreSQL's volume tells; there is none without it.
# `outcomes/SERVICE` is how its next update ends: back (Swarm takes it back), paused, stuck (it
# stays in the middle). `states` is what the migration's job shows, one line a look, the last one
# from then on. `status` is what wget shows of the proxy's answer; `knows-every-name` is a resolver
# that does.
STAND_IN = r"""#!/bin/sh
folder=$PWD
cd "$DOCKER_STAND_IN" || exit 9
printf '%s\n' "$*" >>arguments
for word; do before=${last-} last=$word; done
call=$*
case $call in
    'exec '*) call="exec $3 $before $last" ;;
    'run '*) call="run $before $last" ;;
    'stack deploy '*)
        call="stack deploy app=$IMAGE_APP*${APP_REPLICAS:-2}"
        call="$call worker=$IMAGE_APP*${WORKER_REPLICAS:-1} caddy*${CADDY_REPLICAS:-1}"
        ;;
esac
printf '%s\n' "$call" >>calls
planned() {
    [ -e "$1" ] || return 1
    while IFS= read -r pattern; do
        # shellcheck disable=SC2254 # it is a pattern
        case $call in $pattern) return ;; esac
    done <"$1"
    return 1
}
error() {
    echo "Error response from daemon: $1: $call" >&2
    exit 1
}
show() {
    [ ! -e "$1" ] || while IFS= read -r line; do printf '%s\n' "$line"; done <"$1"
}
names() {
    for file; do [ ! -e "$file" ] || printf '%s\n' "${file##*/}"; done
}
# A service's image, replicas, label, and the secrets and configs that it uses; and the label of its
# containers that run, or none.
look() {
    [ -d "services/$1" ] || error "no such service"
    read -r image replicas label uses <"services/$1/spec"
    read -r tasks <"services/$1/tasks"
    read -r version <"services/$1/version"
}
write() {
    echo "$2" >"services/$1/spec"
    echo "$3" >"services/$1/tasks"
    echo "$((version + 1))" >"services/$1/version"
    echo "$4" >"services/$1/state"
}
# As docker stack deploy does with every service, changed or not; what it is in the order of spec.
put() {
    outcome='' state='' version=0 tasks=none changed=''
    [ ! -e "outcomes/$1" ] || read -r outcome <"outcomes/$1"
    for name in $(IFS=,; echo $5); do
        [ -e "secret/$name" ] || [ -e "config/$name" ] || error "no $name"
    done
    if [ -d "services/$1" ]; then
        look "$1"
        [ "$image $label $uses" = "$2 $4 $5" ] || changed=yes
        echo "$image $replicas $label $uses" >"services/$1/previous"
    else
        mkdir "services/$1"
    fi
    case $changed,$outcome in
        yes,back)
            rm "services/$1/previous"
            write "$1" "$image $replicas $label $uses" "$tasks" rollback_completed
            return
            ;;
        yes,paused) state=paused ;;
        yes,stuck) state=updating ;;
        ,paused | ,stuck) ;;
        *) tasks=$4 state=${changed:+completed} ;;
    esac
    write "$1" "$2 $3 $4 $5" "$tasks" "$state"
}

! planned killed || { kill -s TERM "$(cat pid)" && exit 143; }
! planned fails || error 'it fails'
case $call in
    info) ;;
    'info --format {{.Swarm.ControlAvailable}}') [ -e worker ] && echo false || echo true ;;
    'info --format {{.Swarm.NodeID}}') echo node1 ;;
    'node ls --quiet') names nodes/* ;;
    'node ls --quiet --filter node.label='*)
        for file in nodes/*/"${last#*=}"; do
            [ ! -e "$file" ] || names "${file%/*}"
        done
        ;;
    'node update --label-add '*) : >"nodes/$last/$4" ;;
    'ps '*' label=com.docker.compose.project='*) show compose ;;
    'ps '*' label=com.docker.swarm.service.name='*)
        name=${last##*=}
        [ ! -d "services/$name" ] || look "$name"
        [ "${tasks:-none}" = none ] || [ "$replicas" = 0 ] || echo "$name"
        ;;
    'network ls '*) names networks/* ;;
    'secret inspect '* | 'config inspect '*)
        [ -e "$1/$last" ] || error "no such $1"
        [ "$3" != --format ] || show "$1/$last"
        ;;
    'secret create --label '* | 'config create '*)
        name=$before
        [ ! -e "$1/$name" ] || error 'already exists'
        cat >"$1/$name"
        [ "$3" != --label ] || echo "label=$4" >"$1-labels/$name"
        ;;
    'secret ls --quiet --filter '* | 'config ls --quiet --filter '*)
        for file in "$1"-labels/*; do
            [ ! -e "$file" ] || [ "$(show "$file")" != "$last" ] || names "$file"
        done
        ;;
    'secret rm '* | 'config rm '*)
        [ -e "$1/$last" ] || error "no such $1"
        for one in services/*; do
            [ ! -d "$one" ] || look "${one#*/}"
            case ,${uses-}, in *",$last,"*) error 'in use' ;; esac
        done
        rm -f "$1/$last" "$1-labels/$last"
        ;;
    'stack config '*) : "${IMAGE_APP:?}" "${DEPLOYMENT:?}" "${SECRET_variables:?}" ;;
    'stack deploy '*)
        [ -f "$folder/deploy/swarm/stack.yml" ] || error 'no stack file'
        : >"networks/${last}_data"
        echo "${SITE_ADDRESS-}" >site
        echo caddyfile >"config/$CONFIG_caddyfile"
        echo "label=com.docker.stack.namespace=$last" >"config-labels/$CONFIG_caddyfile"
        own=$SECRET_SECRET_KEY,$SECRET_POSTGRES_PASSWORD,$SECRET_REDIS_PASSWORD,$SECRET_variables
        put "${last}_app" "$IMAGE_APP" "${APP_REPLICAS:-2}" "$DEPLOYMENT" "$own"
        put "${last}_worker" "$IMAGE_APP" "${WORKER_REPLICAS:-1}" "$DEPLOYMENT" "$own"
        put "${last}_caddy" "caddy-${CADDY_MEMORY-}" "${CADDY_REPLICAS:-1}" - "$CONFIG_caddyfile"
        echo init >"config/$CONFIG_postgres_init"
        echo "label=com.docker.stack.namespace=$last" >"config-labels/$CONFIG_postgres_init"
        own=$SECRET_POSTGRES_PASSWORD,$CONFIG_postgres_init
        put "${last}_postgres" "postgres-${POSTGRES_MEMORY-}" 1 - "$own"
        put "${last}_redis" "redis-${REDIS_MEMORY-}" 1 - "$SECRET_REDIS_PASSWORD"
        ;;
    'build '*) case $5 in */*) ;; *) : >"images/$5" ;; esac ;;
    'push --quiet '* | 'pull --quiet '*) ;;
    'image inspect --format '*) echo "${last%:*}@sha256:${last##*:}" ;;
    'image inspect '*) [ -e "images/$last" ] || error 'no such image' ;;
    'service inspect '*)
        look "$last"
        case $call in
            *Replicas*) echo "$replicas" ;;
            *.Image*) echo "$image" ;;
            *Labels*) echo "$label" ;;
            *UpdateStatus*) show "services/$last/state" ;;
            *.Version.Index*) echo "$version" ;;
        esac
        ;;
    'service ls --filter name='*)
        name=${4#name=}
        [ -d "services/$name" ] || exit 0
        look "$name"
        [ "$tasks" = none ] && number=0 || number=$replicas
        echo "$name $number/$replicas"
        ;;
    'service ls --quiet --filter name='*) names services/* ;;
    'service scale --detach '*)
        name=${last%=*}
        look "$name"
        cp "services/$name/spec" "services/$name/previous"
        write "$name" "$image ${last#*=} $label $uses" "$label" ''
        ;;
    'service rollback --detach '*)
        look "$last"
        [ -e "services/$last/previous" ] || error 'does not have a previous spec'
        read -r image replicas label uses <"services/$last/previous"
        rm "services/$last/previous"
        write "$last" "$image $replicas $label $uses" "$label" rollback_completed
        ;;
    'service create '*)
        while [ $# -gt 1 ]; do
            [ "$1" != --name ] || name=$2
            [ "$1" != --network ] || [ -e "networks/$2" ] || error 'no network'
            case $2 in
                type=bind,source=*)
                    source=${2#*source=}
                    [ -e "${source%%,target=*}" ] || error 'bind source path does not exist'
                    ;;
            esac
            shift
        done
        mkdir "services/$name" 2>/dev/null || error 'name conflicts'
        version=0
        write "$name" "job 1 - $SECRET_POSTGRES_PASSWORD" - ''
        ;;
    'service rm '*)
        [ -d "services/$last" ] || error 'no such service'
        rm -r "services/$last"
        ;;
    'service ps --format {{.CurrentState}} '*)
        if [ -e states ]; then
            head -n 1 states
            [ "$(wc -l <states)" -lt 2 ] || sed -i 1d states
        else
            echo 'Complete 1 second ago'
        fi
        ;;
    'service ps --quiet --filter desired-state=running '*)
        look "$last"
        while [ "$tasks" != none ] && [ "$replicas" -gt 0 ]; do
            echo "$tasks"
            replicas=$((replicas - 1))
        done
        ;;
    'service ps --no-trunc '*) echo "the tasks of $last" ;;
    'service logs '*)
        [ ! -e logless ] || exec /bin/sleep 600
        echo "the log of $last"
        ;;
    'inspect --format {{index .Spec.ContainerSpec.Labels "deployment"}} {{.Status.State}} '*)
        echo "$last running"
        ;;
    'volume inspect '*) [ -e versions ] || error 'no such volume' ;;
    'run '*' versions') show versions ;;
    'exec '*' size') echo ' 1024' ;;
    'exec '*' count') echo 'count keys 3' ;;
    'exec '*' backup') echo data && echo 'count keys 3' >&2 ;;
    'node inspect --format {{.Status.Addr}} '*) echo 127.0.0.1 ;;
    'run -c '*) [ -e knows-every-name ] ;;
    'run /dev/null http'*)
        status='  HTTP/1.1 200 OK'
        [ ! -e status ] || status=$(show status)
        printf '%s\n' "$status" >&2
        ;;
    'exec '*' restore' | 'run '*' restore') cat >"restored-$before" ;;
    'exec '*' extensions') ;;
    'exec '*' password') cat >"password-$before" ;;
    *)
        echo "stand-in: $call" >&2
        exit 64
        ;;
esac
code=$?
for signal in TERM INT; do
    ! planned "$signal" || kill -s "$signal" "$(cat pid)"
done
exit "$code"
"""
FOLDERS = (
    "config",
    "config-labels",
    "images",
    "networks",
    "nodes",
    "outcomes",
    "secret",
    "secret-labels",
    "services",
    "tmp",
)
