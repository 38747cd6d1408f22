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
# The deployment that gives it to the apps would refuse.
apart=$(version_apart)
[ -z "$apart" ] || fail "$apart"
new=$(od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n')
[ ${#new} -eq 64 ] || fail "/dev/urandom gives no random numbers."

doing='writing the settings' done='' keep=''
finish() {
    code=$?
    trap '' HUP INT QUIT TERM
    unlock
    [ -n "$keep" ] || drop_draft
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
doing='putting the settings in place' keep=yes
done="$service has the new password, which stands in $draft: mv -f '$draft' '$settings_file' && sh deploy/swarm/deploy.sh$options --no-backup"
keep_settings
keep=''
done="$service and $env_file have the new password, but nothing else has: sh deploy/swarm/change-password.sh$options $service"
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 131' QUIT
trap 'exit 143' TERM

exec 9>&-
doing='giving the apps the new password'
done="$service and $env_file have the new password, the apps may not; when what stands above is mended: sh deploy/swarm/deploy.sh$options --no-backup"
unlock
if [ -n "$tag" ]; then
    # The databases start anew, too.
    # shellcheck disable=SC2086 # two words, or none
    sh deploy/swarm/deploy.sh $options --switch "$tag"
fi
echo "$service has a new password; it stands in $env_file."
