#!/bin/sh
# Makes .env from .env.example: new secrets, and questions about what only you can know.
#   sh deploy/init-env.sh               without a terminal: DOMAIN=example.com sh deploy/init-env.sh
#   sh deploy/init-env.sh --env NAME    makes deploy/env/NAME.env, for another environment
# An .env that exists is never changed.
set -eu
umask 077

fail() {
    echo "init-env: $1" >&2
    exit 1
}

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
example=$root/.env.example
target=$root/.env
case "$#-${1-}" in
    0-) ;;
    2---env)
        case $2 in
            production | prod | *[!a-z0-9-]* | -* | '') fail "$2 cannot be an environment's name: use a-z, 0-9 and dashes." ;;
        esac
        target=$root/deploy/env/$2.env
        ;;
    *) fail "It takes --env NAME, or nothing." ;;
esac
[ -r "$example" ] || fail "$example cannot be read: restore it from git."

# Whatever ends this, no half-made file with secrets stays; what a killed run left goes now.
draft='' state=$root/deploy/state
for left in "$state"/init-env.draft.*; do
    pid=${left#"$state/init-env.draft."} pid=${pid%.*}
    if [ "$pid" = $$ ] || ! { kill -0 "$pid" 2>/dev/null || [ -d "/proc/$pid" ]; }; then
        rm -f "$left"
    fi
done
[ ! -e "$target" ] && [ ! -L "$target" ] || fail "$target exists already; nothing was changed."
(umask 022 && mkdir -p "$state" && echo '*' >"$state/.gitignore") || fail "$state cannot be written."
if [ $# -gt 0 ]; then
    { mkdir -p "$root/deploy/env" && echo '*' >"$root/deploy/env/.gitignore"; } || fail "$root/deploy/env cannot be made."
fi
trap '[ -z "$draft" ] || rm -f "$draft"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 131' QUIT
trap 'exit 143' TERM
draft=$(mktemp "$state/init-env.draft.$$.XXXXXX") || fail "$state cannot be written."

# 256 random bits in letters and digits, which need no quoting in a URL or in .env.
secret() {
    bits=$(od -An -v -tx1 -N32 /dev/urandom | tr -d ' \t\r\n')
    [ ${#bits} -eq 64 ] || fail "/dev/urandom gives no random numbers."
    printf %s "$bits"
}

# The value of a setting: from the environment, else from whoever sits at the terminal.
ask() {
    eval "answer=\${$1-}"
    if [ -z "$answer" ] && [ -t 0 ]; then
        printf '%s: ' "$2" >&2
        read -r answer || answer=
    fi
    printf %s "$answer"
}

# In single quotes, as Compose takes every character there but a quote itself.
quoted() {
    case $1 in
        *\'* | *\\) fail "A value must not hold a single quote, nor end in a backslash." ;;
        *[!A-Za-z0-9._/:@%+,=-]*) printf "'%s'" "$1" ;;
        *) printf %s "$1" ;;
    esac
}

generated='' empty='' comment='' carriage_return=$(printf '\r')
while IFS= read -r line <&3 || [ -n "$line" ]; do
    line=${line%"$carriage_return"}
    case $line in
        '') comment='' ;;
        '#DOMAIN=')
            value=$(ask DOMAIN "Domain that points to this server (empty for none)")
            case $value in
                '') ;;
                *[!A-Za-z0-9.-]*) fail "$value is not a domain." ;;
                *) line=DOMAIN=$value ;;
            esac
            ;;
        '#'*) comment=$line ;;
        *[!A-Z0-9_]*=*) ;;
        *=)
            name=${line%=}
            case $comment in
                *'Make one with: openssl rand'*)
                    line=$name=$(secret)
                    generated="$generated $name"
                    ;;
                *)
                    value=$(ask "$name" "$name (${comment#'# '})")
                    line=$name=$(quoted "$value")
                    [ -n "$value" ] || empty="$empty $name"
                    ;;
            esac
            comment=''
            ;;
    esac
    printf '%s\n' "$line" >>"$draft"
done 3<"$example"

# A link appears whole or not at all, and never in place of another file; some file systems
# have none.
ln "$draft" "$target" 2>/dev/null || (set -C && cat "$draft" >"$target") 2>/dev/null ||
    fail "$target exists already or cannot be written."
echo "$target is made, readable by you alone. Generated:${generated:- nothing}."
[ -z "$empty" ] || fail "Fill in, as the stack does not start without:$empty."
