#!/bin/sh
# Gives a database a new password, in the database, in the settings and in the apps.
#   sh deploy/swarm/change-password.sh [--env NAME] postgres|redis
# The password is generated; it never shows. Run it again where it was interrupted.
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "$0")/common.sh"
# shellcheck source-path=SCRIPTDIR source=../data/common.sh
. deploy/data/common.sh

[ $# -eq 1 ] || fail "Name what gets a new password: postgres|redis."
service=$1
case $service in
    postgres) variable=POSTGRES_PASSWORD ;;
    redis) variable=REDIS_PASSWORD ;;
    *) fail "$service is not one of: postgres|redis." ;;
esac
# deploy.sh writes the settings, too.
tag=$(setting TAG '')
lock deploy
trap unlock EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 131' QUIT
trap 'exit 143' TERM
[ -n "$(containers "$service")" ] || fail "$service does not run on this node: docker service ps ${project}_$service"
new=$(od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n')
[ ${#new} -eq 64 ] || fail "/dev/urandom gives no random numbers."

doing='writing the settings' done=''
finish() {
    code=$?
    trap '' HUP INT QUIT TERM
    unlock
    drop_draft
    [ "$code" -eq 0 ] && result=ok || result="failed while $doing"
    note "change-password service=$service result=\"$result\""
    [ "$code" -eq 0 ] || fail "Failed while $doing. ${done:-The old password holds.}"
}
trap finish EXIT
# Whole on the disk before the database changes.
draft_settings "$variable=$new"

# From here to the settings nothing comes between.
trap '' HUP INT QUIT TERM
doing="changing the password in $service"
echo "-- $doing"
printf '%s\n' "$new" | inside "$service" password
doing='putting the settings in place'
keep_settings
done="The database and $env_file have the new password; the apps may still use the old one: sh deploy/swarm/change-password.sh$options $service"
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 131' QUIT
trap 'exit 143' TERM

doing='giving the apps the new password'
exec 9>&-
unlock
if [ -n "$tag" ]; then
    # The databases start anew, too.
    # shellcheck disable=SC2086 # two words, or none
    sh deploy/swarm/deploy.sh $options --switch "$tag"
fi
echo "$service has a new password; it stands in $env_file."
