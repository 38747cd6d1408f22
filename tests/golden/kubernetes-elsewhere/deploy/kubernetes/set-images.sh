#!/bin/sh
# Names the images that an environment runs, by their digests, in its kustomization.yaml.
#   sh deploy/kubernetes/set-images.sh production app=registry.example.com/fapgrd-app@sha256:…
# An app is named as in the stack: app. Any other image by its name: pgvector/pgvector.
set -eu
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "$0")/common.sh"

[ $# -gt 0 ] || fail "Name an image: app=REGISTRY/NAME@sha256:DIGEST"
file=$overlay/kustomization.yaml
draft=$(mktemp)
trap 'rm -f "$draft" "$draft.new"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 131' QUIT
trap 'exit 143' TERM
cp "$file" "$draft"
for given; do
    name=${given%%=*} image=${given#*=}
    digest=${image##*@} image=${image%@*}
    case $digest in sha256:*[!0-9a-f]* | sha256:) digest='' ;; sha256:*) ;; *) digest='' ;; esac
    [ ${#digest} -eq 71 ] || digest=''
    # The digest is enough; a tag beside it is not allowed.
    case ${image##*/} in *:*) image=${image%:*} ;; esac
    case $image in -* | '' | *[!a-z0-9./:_-]* | */) image='' ;; esac
    case $given in *=*@*) ;; *) image='' ;; esac
    [ -n "$digest" ] && [ -n "$image" ] || fail "$given is not of the form NAME=IMAGE@sha256:DIGEST."
    case $name in app) name=fapgrd-$name ;; esac
    # By the environment, since awk takes escapes in variables of its command line.
    name=$name image=$image digest=$digest awk '
        BEGIN { name = ENVIRON["name"]; image = ENVIRON["image"]; digest = ENVIRON["digest"] }
        /^[^ #]/ { block = ($0 == "images:") }
        block && $1 == "-" && $2 == "name:" {
            mine = ($3 == name)
            print
            if (mine) { found = 1; print "    newName: " image; print "    digest: " digest }
            next
        }
        block && mine && ($1 == "newName:" || $1 == "newTag:" || $1 == "digest:") { next }
        { print }
        END { exit !found }' "$draft" >"$draft.new" || fail "$file has no image $name in its block images:."
    mv "$draft.new" "$draft"
done
cat "$draft" >"$file"
