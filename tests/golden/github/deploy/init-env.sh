#!/bin/sh
# Makes .env from .env.example: new secrets, and questions about what only you can know.
# To one that exists, it adds what the stack does not start without and the file lacks; nothing
# else changes.
#   sh deploy/init-env.sh               without a terminal: DOMAIN=example.com sh deploy/init-env.sh
#   sh deploy/init-env.sh --env NAME    the same for deploy/env/NAME.env, for another environment
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
            production) set -- ;;
            prod | *[!a-z0-9-]* | -* | '') fail "$2 cannot be an environment's name: use a-z, 0-9 and dashes." ;;
            *) target=$root/deploy/env/$2.env ;;
        esac
        ;;
    *) fail "It takes --env NAME, or nothing." ;;
esac
[ -r "$example" ] || fail "$example cannot be read: restore it from git."
! grep -qE '^(<{7} |>{7} )' "$example" || fail "Resolve the conflict markers in $example first."

# Whatever ends this, no half-made file with secrets stays; what a killed run left goes now.
draft='' state=$root/deploy/state
for left in "$state"/init-env.draft.* "$target".draft.*; do
    pid=${left##*.draft.} pid=${pid%.*}
    if [ "$pid" = $$ ] || ! { kill -0 "$pid" 2>/dev/null || [ -d "/proc/$pid" ]; }; then
        rm -f "$left"
    fi
done
# An existing file is read as Docker Compose does.
read_settings() {
    LC_ALL=C awk "$@" -f "$root/deploy/settings.awk" <"$target"
}
names='' adding=''
if [ -e "$target" ] || [ -L "$target" ]; then
    { [ -f "$target" ] && [ -r "$target" ]; } || fail "$target cannot be read; nothing was changed."
    adding=yes real=$(readlink -f "$target") seen=$(cat "$target")
    names=$(read_settings) || fail "$target: $names Nothing was changed."
fi
(umask 022 && mkdir -p "$state" && echo '*' >"$state/.gitignore") || fail "$state cannot be written."
if [ $# -gt 0 ]; then
    { mkdir -p "$root/deploy/env" && echo '*' >"$root/deploy/env/.gitignore"; } || fail "$root/deploy/env cannot be made."
fi
trap '[ -z "$draft" ] || rm -f "$draft"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 131' QUIT
trap 'exit 143' TERM
stem=$state/init-env
# A file moves in one step on its own disk alone.
[ -z "$adding" ] || [ "$(stat -c %d "$state" 2>/dev/null)" = "$(stat -c %d "$real" 2>/dev/null)" ] || stem=$real
draft=$(mktemp "$stem.draft.$$.XXXXXX") || fail "$stem.draft cannot be written."

# 256 random bits in letters and digits, which need no quoting in a URL or in .env.
secret() {
    bits=$(od -An -v -tx1 -N32 /dev/urandom | tr -d ' \t\r\n')
    [ ${#bits} -eq 64 ] || fail "/dev/urandom gives no random numbers."
    printf %s "$bits"
}

# The value of a setting: from the environment, else from whoever sits at the terminal.
ask() {
    # Names of this script's own are in small letters.
    case $1 in *[a-z]*) answer='' ;; *) eval "answer=\${$1-}" ;; esac
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

# Whether the file has a value of a setting. One that begins with a # is a comment.
has() {
    case $(read_settings -v "of=$1") in '' | '# '*) return 1 ;; esac
}

generated='' empty='' comment='' carriage_return=$(printf '\r')
# Of an existing file: the lines that get a value, and what comes to its end.
filled='' added='' heading='' above=''
while IFS= read -r line <&3 || [ -n "$line" ]; do
    line=${line%"$carriage_return"}
    case $line in
        '') comment='' above='' ;;
        '#DOMAIN=')
            value=''
            [ -n "$adding" ] || value=$(ask DOMAIN "Domain that points to this server (empty for none)")
            case $value in
                '') ;;
                *[!A-Za-z0-9.-]*) fail "$value is not a domain." ;;
                *) line=DOMAIN=$value ;;
            esac
            ;;
        '#ENVIRONMENT='*) [ $# -eq 0 ] || line=ENVIRONMENT=$2 ;;
        '# --- '*) heading=$line above='' ;;
        '#'*) comment=$line above="$above$line
" ;;
        *[!A-Za-z0-9_]*=*) ;;
        *=)
            name=${line%=}
            if [ -z "$adding" ] || ! has "$name"; then
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
                if echo "$names" | grep -qx "$name" && [ "$(echo "$line" | wc -l)" -eq 1 ]; then
                    [ "$line" = "$name=" ] || filled="$filled$line
"
                elif [ -n "$adding" ]; then
                    # Under its heading, which stands there once.
                    if [ -n "$heading" ] && ! grep -qxF -e "$heading" "$target"; then
                        added="$added
$heading
"
                    fi
                    heading='' added="$added
$above$line
"
                fi
            fi
            comment='' above=''
            ;;
    esac
    [ -n "$adding" ] || printf '%s\n' "$line" >>"$draft"
done 3<"$example"

if [ -z "$adding" ]; then
    # A link appears whole or not at all, and never in place of another file; some file systems
    # have none.
    ln "$draft" "$target" 2>/dev/null || (set -C && cat "$draft" >"$target") 2>/dev/null ||
        fail "$target exists already or cannot be written."
    echo "$target is made, readable by you alone. Generated:${generated:- nothing}."
elif [ -n "$added$filled" ]; then
    # In the line that is empty, or at the end.
    {
        { printf '%s' "$filled" && cat "$real"; } | awk -v "given=$(printf %s "$filled" | wc -l)" '
            NR <= given { value[substr($0, 1, index($0, "=") - 1)] = $0; next }
            { name = $0; sub(/^[ \t]*(export[ \t]+)?/, "", name) }
            sub(/[ \t]*=[ \t]*(\047\047|"")?[ \t\r]*$/, "", name) && name in value { print value[name]; delete value[name]; next }
            { print }
            END { for (name in value) print value[name] }'
        printf '%s' "$added"
    } >"$draft" || fail "$draft cannot be written."
    [ "$(cat "$target")" = "$seen" ] || fail "$target was changed meanwhile: run this again."
    chmod "$(stat -c %a "$real" 2>/dev/null || stat -f %Lp "$real")" "$draft"
    chown "$(stat -c %u:%g "$real" 2>/dev/null || stat -f %u:%g "$real")" "$draft" 2>/dev/null || true
    mv -f "$draft" "$real"
    echo "$target got what was missing; nothing else was changed. Generated:${generated:- nothing}."
else
    [ -n "$empty" ] || echo "$target has all that it needs; nothing was changed."
fi
[ -z "$empty" ] || echo "Fill in, as the stack does not start without:$empty." >&2
