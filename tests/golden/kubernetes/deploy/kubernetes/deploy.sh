#!/bin/sh
# Puts a version into service: first a backup, then the databases, then the migrations, then the apps, pod by pod.
# If an app fails, all go back to the revisions before; the exit code is 1.
#   sh deploy/kubernetes/deploy.sh production                       what the environment's files say
#   sh deploy/kubernetes/deploy.sh production app=IMAGE@sha256:…    sets the images first
# Before the images: --no-backup.
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "$0")/common.sh"

backup=yes
if [ "${1-}" = --no-backup ]; then
    backup=''
    shift
fi
[ $# -eq 0 ] || sh ./set-images.sh "$environment" "$@"
[ -r "$overlay/secrets.env" ] || fail \
    "$overlay/secrets.env is missing: copy it from where it was made; for a new environment: sh deploy/kubernetes/init-secrets.sh $environment"
[ -r "$overlay/passwords.env" ] || fail \
    "$overlay/passwords.env is missing: copy it from where it was made; for a new environment: sh deploy/kubernetes/init-secrets.sh $environment"
required='secrets:SECRET_KEY passwords:POSTGRES_PASSWORD' missing=''
for name in $required; do
    grep -q "^${name#*:}=." "$overlay/${name%%:*}.env" || missing="$missing ${name#*:}"
done
[ -z "$missing" ] || fail \
    "Not set in deploy/kubernetes/$overlay:$missing. This adds what is missing: sh deploy/kubernetes/init-secrets.sh $environment"
empty=$(cd "$overlay" && sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=$/\1/p' settings.env data.env secrets.env passwords.env | tr '\n' ' ')
[ -z "$empty" ] || fail "Fill in, in the files of deploy/kubernetes/$overlay: $empty"
! grep -q 'newName: registry\.example\.com/' "$overlay/kustomization.yaml" ||
    fail "Name the images of the apps: sh deploy/kubernetes/set-images.sh $environment app=IMAGE@sha256:…"
! grep -q 'value: \[*\(staging\.\)\{0,1\}example\.com[],} ]' "$overlay/kustomization.yaml" ||
    fail "Name the domain in deploy/kubernetes/$overlay/kustomization.yaml."
needs_kubectl

# It holds all secrets.
rendered=$(draft) before='' started=''
finish() {
    code=$?
    trap '' HUP INT QUIT TERM
    rm -f "$rendered"
    [ "$code" -eq 0 ] || [ -z "$started" ] || go_back_to "$before" || true
    unlock
    [ "$code" -eq 0 ] || fail "Failed while $doing."
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 131' QUIT
trap 'exit 143' TERM
# A pod that is not ready keeps its old form, whatever is applied, until somebody deletes it
# (kubernetes.io, StatefulSets, "Forced rollback").
replace_stuck() {
    waited=0
    until numbers=$(in_namespace get statefulset "$1" --output 'jsonpath={.metadata.generation} {.status.observedGeneration}') &&
        [ "${numbers% *}" = "${numbers#* }" ] || [ "$waited" -ge 60 ]; do
        sleep 1
        waited=$((waited + 1))
    done
    wanted=$(in_namespace get statefulset "$1" --output 'jsonpath={.status.updateRevision}')
    found=$(in_namespace get pod "$1-0" --ignore-not-found \
        --output 'jsonpath={.metadata.labels.controller-revision-hash} {.status.conditions[?(@.type=="Ready")].status}{.metadata.deletionTimestamp}')
    case $found in
        '' | "$wanted "* | *' True'* | *Z) ;;
        *) in_namespace delete pod "$1-0" --ignore-not-found ;;
    esac
}
# Applied by the server: a client would keep a copy of each secret in an annotation.
part() {
    kubectl apply --server-side --force-conflicts --filename "$rendered" --selector "$1"
}

begin 'rendering the manifests'
kubectl kustomize "$overlay" >"$rendered"
known=$(kubectl get namespace "$namespace" --ignore-not-found --output name)
if [ -n "$known" ]; then
    lock
    remember_pods
    before=$(revisions)
fi
# Another major version would take the place of the one that serves, and then not read its files.
# shellcheck disable=SC2016 # it is for the shell there
data=$(in_namespace exec postgres-0 -- sh -c 'cat "$PGDATA/PG_VERSION"' 2>/dev/null) || data=''
case $data in
    '' | 15) ;;
    *) fail "The files name PostgreSQL 15, which does not read the data of $data: deploy/kubernetes/README.md says how to move it" ;;
esac
# Where nothing has been in service yet, there is nothing to keep.
served=$(release present)
[ -n "$served" ] || served=$(in_namespace get deployments --output 'jsonpath={.items[*].status.availableReplicas}')
if [ -n "$backup" ] && [ -n "$served" ]; then
    begin 'backing up (--no-backup goes without)'
    remove_job backup-before-deploy
    in_namespace create job backup-before-deploy --from cronjob/backup >/dev/null
    wait_for backup-before-deploy
fi

begin 'looking after the databases'
part 'app.kubernetes.io/component notin (app, job, migration)'
[ -n "${locked-}" ] || lock
for service in $services; do
    replace_stuck "$service"
    wait_for_pods "statefulset/$service"
done

begin 'bringing the database up to date'
in_namespace exec postgres-0 -- sh -c "$(cat base/scripts/postgres.sh)" postgres.sh extensions </dev/null
in_namespace create configmap migrations --from-file ../../database/migrations --dry-run=client --output yaml |
    in_namespace apply --server-side --force-conflicts --filename -
# A job cannot be changed, only made anew.
remove_job migrate
part app.kubernetes.io/component=migration
wait_for migrate

begin 'starting the new version'
started=yes
part app.kubernetes.io/component=app
# What a restore stopped, and did not start again.
for app in $apps; do
    [ "$(in_namespace get deployment "$app" --output 'jsonpath={.spec.replicas}')" != 0 ] || in_namespace scale "deployment/$app" --replicas 1
done
wait_for_apps
started='' now=$(revisions)
if [ "$now" != "$before" ]; then
    keep_release "$now" "$before"
elif [ -z "$(release present)" ]; then
    # The run that began them failed, but they came up.
    keep_release "$now" ''
fi

begin 'removing settings that nothing uses any more'
used=$(in_namespace get replicasets,statefulsets,cronjobs,jobs --output yaml)
for object in $(in_namespace get configmaps,secrets --selector app.kubernetes.io/component=settings --output name); do
    case $used in *"${object#*/}"*) ;; *) in_namespace delete "$object" ;; esac
done
echo "$namespace is up to date."
accepted=$(in_namespace get httproute web-app --output 'jsonpath={.status.parents[*].conditions[?(@.type=="Accepted")].status}')
case $accepted in *True*) ;; *) echo "$me: No Gateway has taken the HTTPRoute yet: kubectl describe httproute --namespace $namespace" >&2 ;; esac
