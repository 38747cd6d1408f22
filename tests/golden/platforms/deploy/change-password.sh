#!/bin/sh
# Gives a database a new password, in the database, in the settings and in the apps.
#   sh deploy/change-password.sh [--env NAME] mongodb|postgres|redis
# The password is generated; it never shows. Run it again where it was interrupted.
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "$0")/common.sh"
# shellcheck source-path=SCRIPTDIR source=data/common.sh
. deploy/data/common.sh

[ $# -eq 1 ] || fail "Name what gets a new password: mongodb|postgres|redis."
service=$1
case $service in
    mongodb) variable=MONGODB_PASSWORD ;;
    postgres) variable=POSTGRES_PASSWORD ;;
    redis) variable=REDIS_PASSWORD ;;
    *) fail "$service is not one of: mongodb|postgres|redis." ;;
esac
# deploy.sh writes the settings, too.
lock deploy
[ -n "$(containers "$service")" ] || fail "$service does not run: $compose_shown up -d $service"
new=$(od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n')
[ ${#new} -eq 64 ] || fail "/dev/urandom gives no random numbers."

doing='writing the settings' done='' keep=''
finish() {
    code=$?
    trap '' HUP INT QUIT TERM
    [ -n "$keep" ] || drop_draft
    [ "$code" -eq 0 ] && result=ok || result="failed while $doing"
    note "change-password service=$service result=\"$result\""
    [ "$code" -eq 0 ] || fail "Failed while $doing. ${done:-The old password holds.}"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 131' QUIT
trap 'exit 143' TERM
# Whole on the disk before the database changes.
draft_settings "$variable=$new"

# From here to the settings nothing comes between.
trap '' HUP INT QUIT TERM
doing="changing the password in $service"
echo "-- $doing"
printf '%s\n' "$new" "$(setting "$variable" '')" | inside "$service" password
doing='putting the settings in place' keep=yes
done="$service has the new password, which stands in $draft: mv -f '$draft' '$settings_file' && sh deploy/deploy.sh$options --no-backup"
keep_settings
keep=''
done="$service and $env_file have the new password, but nothing else has: sh deploy/change-password.sh$options $service"
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 131' QUIT
trap 'exit 143' TERM

exec 9>&-
if [ "$service" = mongodb ]; then
    doing='starting mongodb with the new password'
    compose up --detach --no-deps --wait mongodb
fi
doing='giving the apps the new password'
done="$service and $env_file have the new password, the apps may not; when what stands above is mended: sh deploy/deploy.sh$options --no-backup"
if [ -n "$(containers app frontend worker scheduler)" ]; then
    # shellcheck disable=SC2086 # two words, or none
    sh deploy/deploy.sh $options --switch "$(setting TAG latest)"
fi
if [ "$service" = redis ]; then
    # Until now both passwords held.
    doing='starting redis with the new password alone'
    done="Until it starts anew, both passwords hold: $compose_shown up -d redis"
    compose up --detach --no-deps --wait redis
fi
echo "$service has a new password; it stands in $env_file."
