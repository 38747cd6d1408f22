#!/bin/sh
# Goes back to what was in service before the last deployment, pod by pod; a second run goes forward.
#   sh deploy/kubernetes/rollback.sh production
# The database stays as it is: what migrations changed is not undone.
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "$0")/common.sh"
[ $# -eq 0 ] || fail "It takes the environment alone."
needs_kubectl

before=$(release before)
present=$(revisions)
[ -n "$before" ] || fail "No version before the present one is on record."
trap unlock EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 131' QUIT
trap 'exit 143' TERM
lock
go_back_to "$before"
# Going back makes new revisions.
reached=$(revisions)
keep_release "$reached" "$present"
wait_for_apps
echo "The version before is in service. The next deploy.sh takes what $overlay/kustomization.yaml names:"
for app in $apps; do
    in_namespace get deployment "$app" --output 'jsonpath=  {.metadata.name}={.spec.template.spec.containers[0].image}{"\n"}'
done
