#!/bin/sh
# Brings a backup back: what is there now is replaced by it, after a backup of its own. The apps are
# stopped meanwhile.
#   sh deploy/kubernetes/restore.sh production --list
#   sh deploy/kubernetes/restore.sh production BACKUP|latest
# Before the name: --yes does not ask; --no-backup makes no backup of the present state.
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "$0")/common.sh"

yes='' backup=yes
while :; do
    case ${1-} in
        --yes) yes=yes ;;
        --no-backup) backup='' ;;
        *) break ;;
    esac
    shift
done
[ $# -eq 1 ] || fail "Name the backup, latest, or --list."
needs_kubectl

choose() {
    in_namespace create configmap restore --from-literal "BACKUP=$1" --dry-run=client --output yaml |
        in_namespace apply --server-side --force-conflicts --filename - >/dev/null
}
# Makes a job of one that never runs by the clock, and waits until it has ended.
run_job() {
    remove_job "$2"
    in_namespace create job "$2" --from "cronjob/$1" >/dev/null
    wait_for "$2" || fail "The job $2 failed; its log is above."
    in_namespace logs "job/$2" --all-containers
}

case $1 in
    --list) ;;
    latest) ;;
    '' | *[!0-9Z-]*) fail "$1 is not the name of a backup: see --list." ;;
esac
state='Nothing was changed.'
finish() {
    code=$?
    trap '' HUP INT QUIT TERM
    unlock
    [ "$code" -eq 0 ] || fail "$state"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 131' QUIT
trap 'exit 143' TERM
lock
if [ "$1" = --list ]; then
    choose ''
    run_job backups backups-list
    exit
fi

# Whole, and with all its parts, before anything is stopped.
choose "$1"
name=$(run_job backups backups-check)
if [ -z "$yes" ]; then
    [ -t 0 ] || fail "Nobody is there to ask: add --yes."
    printf 'Replace postgres of %s by the backup %s? [y/N] ' "$namespace" "$name" >&2
    read -r answer || answer=''
    case $answer in y | Y | yes) ;; *) exit 1 ;; esac
fi
if [ -n "$backup" ]; then
    begin 'backing up the present state'
    run_job backup backup-before-restore
fi
choose "$name"

begin 'looking at the databases'
remember_pods
for service in $services; do
    wait_for_pods "statefulset/$service"
done

state="The apps are stopped, and what is restored is not complete: mend the cause, then: sh deploy/kubernetes/restore.sh $environment --no-backup $name"
begin 'stopping the apps'
in_namespace patch cronjob backup --patch '{"spec": {"suspend": true}}' >/dev/null
for app in $apps; do
    in_namespace scale "deployment/$app" --replicas 0
done
for app in $apps; do
    in_namespace wait --for delete pods --selector "app.kubernetes.io/name=$app" --timeout 5m
done
begin "restoring $name"
run_job restore restore-now
begin 'starting the apps'
state="All is restored, but not all is started: sh deploy/kubernetes/deploy.sh $environment"
# Where there is a HorizontalPodAutoscaler, it adds more.
for app in $apps; do
    in_namespace scale "deployment/$app" --replicas 1
done
in_namespace patch cronjob backup --patch '{"spec": {"suspend": false}}' >/dev/null
wait_for_apps
