"""A stand-in for kubectl: logs its calls, and keeps in files what the scripts ask about.

There is no cluster anywhere, so this tests the scripts' order and their way with failures, not what
Kubernetes makes of the manifests.
"""

from __future__ import annotations

import shlex
from pathlib import Path

# Plans of a test, one shell pattern a line: `fails`, `hangs`, and `terminates`, which ends the
# script by SIGTERM. `images/APP` is what the manifests say; `conditions/JOB` is what a job
# shows, one line for each look at it, the last one from then on.
_SCRIPT = r"""#!/bin/sh
case "$*" in *--from-file*) [ -d ../../database/migrations ] || exit 3 ;; esac
cd __STATE__ || exit 9
printf '%s\n' "$*" >>calls
if [ "$1" = --namespace ]; then
    [ "$2" = __NAME__-production ] || { echo "stand-in: namespace $2" >&2; exit 64; }
    shift 2
fi
call=$*
planned() {
    [ -e "$1" ] || return 1
    while IFS= read -r pattern; do
        case $call in $pattern) return ;; esac
    done <"$1"
    return 1
}
error() {
    echo "Error from server ($1): $call" >&2
    exit 1
}
# Gives an app an image: of one that it had before, the old revision gets a new number.
put() {
    mkdir -p "deployments/$1/revisions"
    revision=$(cat "deployments/$1/revision" 2>/dev/null || echo 0)
    [ "$(cat "deployments/$1/revisions/$revision" 2>/dev/null)" != "$2" ] || return 0
    for old in "deployments/$1/revisions"/*; do
        [ ! -e "$old" ] || [ "$(cat "$old")" != "$2" ] || rm "$old"
    done
    echo "$2" >"deployments/$1/revisions/$((revision + 1))"
    echo "$((revision + 1))" >"deployments/$1/revision"
    [ -e "deployments/$1/replicas" ] || echo 1 >"deployments/$1/replicas"
}
# The values of a ConfigMap, one a line.
literals() {
    while [ $# -gt 0 ]; do
        [ "$1" != --from-literal ] || printf '%s\n' "$2"
        shift
    done
}
keep() {
    while IFS= read -r line; do
        printf %s "${line#*=}" >"configmaps/$1/${line%%=*}"
    done
}

if planned hangs; then
    : >hanging
    exec /bin/sleep 60
fi
! planned fails || error InternalError
case $call in
    'config current-context') echo nowhere ;;
    'kustomize '*) echo 'kind: Everything' ;;
    'get namespace '*)
        [ -e namespace ] || case $call in *--ignore-not-found*) ;; *) error NotFound ;; esac
        [ ! -e namespace ] || echo "namespace/$3"
        ;;
    'create configmap '*--dry-run=client*)
        echo "$3"
        literals "$@"
        ;;
    'create configmap '*)
        [ -e namespace ] || error NotFound
        mkdir "configmaps/$3" 2>/dev/null || error AlreadyExists
        literals "$@" | keep "$3"
        ;;
    'apply '*'--filename -')
        read -r name
        rm -rf "configmaps/$name"
        mkdir "configmaps/$name"
        keep "$name"
        ;;
    'get configmap '*)
        key=${call##*.data.}
        [ ! -e "configmaps/$3/${key%?}" ] || cat "configmaps/$3/${key%?}"
        ;;
    'delete configmap '*)
        [ -d "configmaps/$3" ] || error NotFound
        rm -r "configmaps/$3"
        ;;
    'apply '*'component notin (app, job, migration)')
        : >namespace
        mkdir -p cronjobs/backup cronjobs/backups cronjobs/restore
        ;;
    'apply '*'component=migration') mkdir jobs/migrate 2>/dev/null || error Invalid ;;
    'apply '*'component=app')
        for app in images/*; do
            put "${app#*/}" "$(cat "$app")"
        done
        ;;
    'exec postgres-0 '*' extensions') ;;
    'exec postgres-0 '*PG_VERSION*) cat data 2>/dev/null || error NotFound ;;
    'get cronjob '*) [ ! -d "cronjobs/$3" ] || echo "cronjob.batch/$3" ;;
    'patch cronjob '*) [ -d "cronjobs/$3" ] || error NotFound ;;
    'create job '*' --from cronjob/'*)
        [ -d "cronjobs/${5#*/}" ] || error NotFound
        mkdir "jobs/$3" 2>/dev/null || error AlreadyExists
        [ ! -e configmaps/restore/BACKUP ] || cp configmaps/restore/BACKUP "jobs/$3/backup"
        ;;
    'delete job '*) rm -rf "jobs/$3" ;;
    'get job '*)
        [ -d "jobs/$3" ] || error NotFound
        if [ -e "conditions/$3" ]; then
            head -n 1 "conditions/$3"
            [ "$(wc -l <"conditions/$3")" -lt 2 ] || sed -i 1d "conditions/$3"
        else
            echo 'SuccessCriteriaMet Complete'
        fi
        ;;
    'get pods --selector job-name='*)
        job=${4#*=}
        [ ! -e "waiting/$job" ] || cat "waiting/$job"
        ;;
    'get pods --output '*) [ ! -e older ] || cat older ;;
    'get deployments --output '*)
        for app in deployments/*; do [ ! -e "$app" ] || echo 1; done
        ;;
    'get pods --selector app.kubernetes.io/name='*metadata.uid*)
        [ ! -e "uids/${4#*=}" ] || cat "uids/${4#*=}"
        ;;
    'get pods --selector app.kubernetes.io/name='*metadata.name*) echo pod-of-"${4#*=}" ;;
    'get pods --selector app.kubernetes.io/name='*reason*)
        [ ! -e "waiting/${4#*=}" ] || cat "waiting/${4#*=}"
        ;;
    'get pods --selector app.kubernetes.io/name='*restartCount*)
        [ ! -e "restarts/${4#*=}" ] || cat "restarts/${4#*=}"
        ;;
    'logs '*--previous*) [ -e "logs/${2#*/}-previous" ] && cat "logs/${2#*/}-previous" ;;
    'logs '*) [ ! -e "logs/${2#*/}" ] || cat "logs/${2#*/}" ;;
    'get statefulset '*generation*) echo '2 2' ;;
    'get statefulset '*updateRevision*) echo new ;;
    'get pod '*) [ ! -e "pods/$3" ] || cat "pods/$3" ;;
    'delete pod '*) rm "pods/$3" ;;
    'get deployment '*'revision}')
        [ ! -d "deployments/$3" ] || cat "deployments/$3/revision"
        ;;
    'get deployment '*'{.spec.replicas}') cat "deployments/$3/replicas" ;;
    'get deployment '*image*)
        echo "  $3=$(cat "deployments/$3/revisions/$(cat "deployments/$3/revision")")"
        ;;
    'rollout undo deployment/'*)
        app=${3#*/} revision=${4#*=}
        [ -e "deployments/$app/revisions/$revision" ] || error "no revision $revision"
        put "$app" "$(cat "deployments/$app/revisions/$revision")"
        ;;
    'scale deployment/'*) echo "$4" >"deployments/${2#*/}/replicas" ;;
    'scale statefulset/'* | 'rollout status '* | 'wait --for delete '*) ;;
    'get replicasets,'* | 'get configmaps,'*) ;;
    'get httproute '*) echo True ;;
    *)
        echo "stand-in: $call" >&2
        exit 64
        ;;
esac
code=$?
! planned terminates || kill -TERM "$(cat pid)"
exit "$code"
"""


def stand_in(state: Path, name: str) -> str:
    """The program's text, for the project `name` and its environment production.

    Args:
        state: The folder that it keeps everything in; it is made here.
        name: The project's name.
    """
    for folder in ("configmaps", "jobs", "deployments", "images", "tmp"):
        (state / folder).mkdir(parents=True)
    return _SCRIPT.replace("__STATE__", shlex.quote(str(state))).replace("__NAME__", name)
