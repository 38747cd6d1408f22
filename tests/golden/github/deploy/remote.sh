#!/bin/sh
# Deploys on a server, or rolls back there, over SSH: what the pipeline runs. The server gets the
# files of this stack and pulls the images; the source code stays here.
#   sh deploy/remote.sh deploy   [--env NAME] VERSION APP=IMAGE@sha256:DIGEST ...
#   sh deploy/remote.sh rollback [--env NAME] [VERSION]
# And what the scripts of these names do, there:
#   sh deploy/remote.sh status   [--env NAME]
#   sh deploy/remote.sh logs     [--env NAME] [--since 1h] [--follow] [APP...]
#   sh deploy/remote.sh run      [--env NAME] [APP] COMMAND...
# From the environment:
#   SSH_HOST, SSH_USER   where to, and as whom; SSH_PORT is 22 unless set
#   SSH_KNOWN_HOSTS      the server's public keys, as in known_hosts: no other server is talked to
#   SSH_KEY              the private key; like the known hosts, itself or a file that holds it
#   SERVER_DIR           the stack's folder there; unless set, /srv/api-only or /srv/api-only-NAME
#   REGISTRY_USER, REGISTRY_PASSWORD   what the server pulls with; neither is stored there
set -eu

fail() {
    echo "remote: $1" >&2
    exit 1
}
cd "$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)"

action=${1-}
case $action in
    deploy | rollback | status | logs | run) shift ;;
    *) fail "Say what to do: sh deploy/remote.sh deploy, rollback, status, logs or run." ;;
esac
[ -n "${SSH_HOST-}" ] || fail "SSH_HOST is not set: it names the server."
[ -n "${SSH_USER-}" ] || fail "SSH_USER is not set: it names the user on the server."
[ -n "${SSH_KEY-}" ] || fail "SSH_KEY is not set: it holds the private key, or names its file."
[ -n "${SSH_KNOWN_HOSTS-}" ] || fail "SSH_KNOWN_HOSTS is not set: it holds the lines of ssh-keyscan."

# One word for the shell over there.
quoted() {
    printf "'%s'" "$(printf %s "$1" | sed "s/'/'\\\\''/g")"
}
options='' folder=${SERVER_DIR:-/srv/api-only} stack=api-only-prod settings=.env
if [ "${1-}" = --env ]; then
    case ${2-} in
        production) ;;
        prod | '' | -* | *[!a-z0-9-]*) fail "Name the environment: --env NAME, of a-z, 0-9 and dashes." ;;
        *) options=" --env $2" folder=${SERVER_DIR:-/srv/api-only-$2} stack=api-only-$2 settings=deploy/env/$2.env ;;
    esac
    shift 2
fi
if [ "$action" = rollback ] && [ $# -gt 0 ] && [ "$1" != --list ]; then
    # A tag or commit, as people name them, and as deployments do.
    version=${1#v}
    case $version in *[!0-9a-f]*) ;; ????????????*) version=$(printf %.12s "$version") ;; esac
    shift
    set -- "$version" "$@"
fi
version=${1-}
case $action-$version in
    rollback- | rollback---list) ;;
    deploy-* | rollback-*)
        [ "$action" = rollback ] || [ $# -ge 2 ] || fail "Name the version and its images: VERSION APP=IMAGE@sha256:DIGEST."
        case $version in '' | -* | *[!A-Za-z0-9._-]*) fail "'$version' is not a tag." ;; esac
        ;;
esac
words=''
for word; do words="$words $(quoted "$word")"; done

umask 077
private=$(mktemp -d)
trap 'rm -rf "$private"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 131' QUIT
trap 'exit 143' TERM
# CI platforms give a secret as a value or as a file.
store() {
    # Pasted ones often lack the last line's end, without which ssh reads no key.
    { if [ -f "$1" ]; then cat "$1"; else printf %s "$1"; fi && echo; } | tr -d '\r' >"$private/$2"
}
store "$SSH_KEY" key
store "$SSH_KNOWN_HOSTS" known_hosts

terminal=-T
over_there() {
    ssh -F none "$terminal" -i "$private/key" -p "${SSH_PORT:-22}" -o BatchMode=yes -o IdentitiesOnly=yes \
        -o StrictHostKeyChecking=yes -o UserKnownHostsFile="$private/known_hosts" \
        -o GlobalKnownHostsFile=none -o ConnectTimeout=20 -o ServerAliveInterval=15 \
        -- "$SSH_USER@$SSH_HOST" "sh -c $(quoted "set -eu; cd $(quoted "$folder"); $1")"
}

case $action in
    rollback)
        over_there "sh deploy/rollback.sh$options$words" </dev/null
        exit
        ;;
    status | logs | run)
        # A terminal there where one is here, for shells and Ctrl-C.
        if [ -t 0 ] && [ -t 1 ]; then terminal=-t; fi
        over_there "sh deploy/$action.sh$options$words"
        exit
        ;;
esac

echo "-- copying the files of this version"
# Of the folders that the server's own files lie in, nothing is taken along.
files="database/migrations docker-compose.prod.yml .env.example deploy"
others="--exclude=deploy/state --exclude=deploy/env --exclude=deploy/backups"
# shellcheck disable=SC2086 # words of lists
tar -czf "$private/files.tar.gz" $others $files
state=deploy/state
# Received whole, before anything is touched; then all of it or nothing.
extract="umask 022; rm -rf database/migrations; tar -xof"
over_there "mkdir -p $state
    exec 9>>$state/$stack.deploy.lock
    flock -n 9 || { echo 'remote: Another deployment has not ended yet: wait for it.' >&2; exit 1; }
    cat >$state/files-new.tar.gz
    there=
    for file in $files; do [ ! -e \"\$file\" ] || there=\"\$there \$file\"; done
    tar -cf $state/files-before.tar $others \${there:--T /dev/null}
    gzip -dc <$state/files-new.tar.gz >$state/files-new.tar
    ($extract $state/files-new.tar --no-same-permissions) ||
        { ($extract $state/files-before.tar); exit 1; }
    rm -f $state/files-new.tar $state/files-new.tar.gz" <"$private/files.tar.gz"

code=0
printf '%s' "${REGISTRY_PASSWORD-}" |
    over_there "sh deploy/deploy.sh$options${REGISTRY_PASSWORD:+ --login $(quoted "${REGISTRY_USER-}")}$words" || code=$?
if [ "$code" -ne 0 ]; then
    pattern=$(printf %s "$version" | sed 's/\./\\./g')
    # The version before goes with its own files, unless this one is in service all the same.
    over_there "grep -qx 'TAG=$pattern\(-......\)\{0,1\}' $settings || { ($extract $state/files-before.tar); }" </dev/null || true
    exit 1
fi
