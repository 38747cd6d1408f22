# shellcheck shell=sh disable=SC2034
# What the scripts beside it share; not run by itself. Each takes the environment first.

me=$(basename -- "$0" .sh)
fail() {
    printf '%s: %s\n' "$me" "$1" >&2
    exit 1
}

cd "$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)" || exit 1
environment=${1-}
case $environment in */* | .*) environment='' ;; esac
[ -n "$environment" ] && [ -f "overlays/$environment/kustomization.yaml" ] ||
    fail "Name the environment, one of: $(cd overlays && echo *)"
shift
overlay=overlays/$environment namespace=web-app-$environment
apps='app frontend' services='postgres'

# A file for nobody else's eyes, for what holds secrets, out of git's sight; whoever asks for it removes
# it. Those of runs that were killed go.
draft() (
    umask 077
    state=../state
    mkdir -p "$state" && [ -e "$state/.gitignore" ] || echo '*' >"$state/.gitignore"
    for left in "$state"/draft.*; do
        pid=${left#"$state/draft."}
        kill -0 "${pid%.*}" 2>/dev/null || [ -d "/proc/${pid%.*}" ] || rm -f "$left"
    done
    mktemp "$state/draft.$$.XXXXXX"
)
in_namespace() {
    kubectl --namespace "$namespace" "$@"
}
needs_kubectl() {
    command -v kubectl >/dev/null || fail "kubectl is missing: https://kubernetes.io/docs/tasks/tools/"
    echo "Cluster: $(kubectl config current-context), namespace: $namespace" >&2
}
begin() {
    doing=$1
    echo "-- $doing"
}

# One run at a time: whoever makes the ConfigMap holds the lock. Call unlock in a trap, set before.
holder="$me by $(id -un) since $(date -u +%Y-%m-%dT%H:%M:%SZ), $$"
lock() {
    locked=yes
    in_namespace create configmap in-progress --from-literal "by=$holder" >/dev/null || fail \
        "Another run has not ended: kubectl get configmap in-progress --namespace $namespace --output yaml; delete it if that run is dead."
}
unlock() {
    [ -n "${locked-}" ] || return 0
    found=$(in_namespace get configmap in-progress --ignore-not-found --output 'jsonpath={.data.by}') || found=''
    [ "$found" != "$holder" ] || in_namespace delete configmap in-progress >/dev/null || true
}

# The newest pod of an app or a database, in the form of a jsonpath below it.
newest_pod() {
    in_namespace get pods --selector "app.kubernetes.io/name=$1" --sort-by .metadata.creationTimestamp \
        --output "jsonpath={.items[-1:]$2}" 2>/dev/null || true
}
# The pods that are there already: how often they ended tells nothing about this run.
older_pods=''
remember_pods() {
    older_pods=" $(in_namespace get pods --output 'jsonpath={.items[*].metadata.uid}') "
}
# Waits until a Deployment or a StatefulSet is ready, ten minutes at most, and less where its newest pod
# is one of this run and cannot start: its image or settings are not to be had, or it has ended five times.
wait_for_pods() {
    waited=0
    until told=$(in_namespace rollout status "$1" --timeout 20s 2>&1); do
        waited=$((waited + 20))
        reasons="$(newest_pod "${1#*/}" ..waiting.reason) $(newest_pod "${1#*/}" ..restartCount) "
        pod=$(newest_pod "${1#*/}" .metadata.uid)
        case "$older_pods" in *" ${pod:-none} "*) older=yes ;; *) older='' ;; esac
        case $older$reasons in
            yes*) [ "$waited" -ge 600 ] || continue ;;
            *ImagePullBackOff* | *InvalidImageName* | *CreateContainerConfigError*) [ "$waited" -ge 60 ] || continue ;;
            *CrashLoopBackOff*' '[5-9]' '* | *CrashLoopBackOff*' '[0-9][0-9]*) ;;
            *) [ "$waited" -ge 600 ] || continue ;;
        esac
        pod=$(newest_pod "${1#*/}" .metadata.name)
        [ -z "$pod" ] || in_namespace logs "$pod" --previous --tail 30 >&2 2>/dev/null ||
            in_namespace logs "$pod" --tail 30 >&2 || true
        echo "$me: ${1#*/} is not ready: ${reasons%% *} $(echo "$told" | tail -n 1)" >&2
        return 1
    done
    echo "$told" | tail -n 1
}

# The revision of each app's Deployment, in words as app=3.
revisions() {
    all=''
    for app in $apps; do
        revision=$(in_namespace get deployment "$app" --ignore-not-found \
            --output 'jsonpath={.metadata.annotations.deployment\.kubernetes\.io/revision}') || return
        [ -z "$revision" ] || all="$all$app=$revision "
    done
    printf %s "$all"
}
# Takes the apps that have another revision back to the ones given.
go_back_to() {
    now=$(revisions) || return
    for wanted in $1; do
        case " $now " in
            *" $wanted "*) ;;
            *) in_namespace rollout undo "deployment/${wanted%=*}" "--to-revision=${wanted#*=}" ;;
        esac
    done
}
wait_for_apps() {
    for app in $apps; do
        wait_for_pods "deployment/$app" || return
    done
}
# What rollback.sh goes by: the revisions in service, and those before.
keep_release() {
    in_namespace create configmap release --from-literal "present=$1" --from-literal "before=$2" \
        --dry-run=client --output yaml | in_namespace apply --server-side --force-conflicts --filename - >/dev/null
}
release() {
    in_namespace get configmap release --ignore-not-found --output "jsonpath={.data.$1}"
}

# Makes a job anew, and waits for the pods of the one before to be gone.
remove_job() {
    in_namespace delete job "$1" --ignore-not-found --cascade=foreground --wait >/dev/null
}
# Waits for a job to end, and shows its log if it failed.
wait_for() {
    missed=0
    while :; do
        if ended=$(in_namespace get job "$1" --output 'jsonpath={.status.conditions[?(@.status=="True")].type}'); then
            missed=0
        else
            missed=$((missed + 1))
            [ "$missed" -lt 5 ] || return 1
        fi
        case " $ended " in
            *" Complete "*) return ;;
            *" Failed "*) break ;;
        esac
        reasons=$(in_namespace get pods --selector "job-name=$1" --output 'jsonpath={..waiting.reason}') || reasons=''
        case $reasons in
            *ImagePullBackOff* | *InvalidImageName* | *CreateContainerConfigError*)
                echo "$me: the pod of $1 waits: $reasons" >&2
                break
                ;;
        esac
        sleep 2
    done
    in_namespace logs "job/$1" --all-containers --tail 30 >&2 || true
    return 1
}
