#!/bin/sh
# Makes the secrets of an environment: new ones where that can be, questions for the rest. A file that
# is there already keeps what it has, and gets what is missing.
#   sh deploy/kubernetes/init-secrets.sh production
# They land in secrets.env and passwords.env of the environment, which git ignores: keep a copy in a safe place.
set -eu
umask 077
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "$0")/common.sh"

draft='' empty='' made=''
trap '[ -z "$draft" ] || rm -f "$draft"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 131' QUIT
trap 'exit 143' TERM

# Whether the file has a value already; else it comes in place of an empty line.
has() {
    grep -q "^$1=." "$draft"
}
put() {
    kept=$(grep -vx "$1=" "$draft" || true)
    printf '%s\n' "$kept" "$1=$2" >"$draft"
}

# 256 random bits in letters and digits.
generate() {
    ! has "$1" || return 0
    bits=$(od -An -v -tx1 -N32 /dev/urandom | tr -d ' \t\r\n')
    [ ${#bits} -eq 64 ] || fail "/dev/urandom gives no random numbers."
    put "$1" "$bits"
}

# From the environment, else from whoever sits at the terminal.
ask() {
    ! has "$1" || return 0
    eval "answer=\${$1-}"
    if [ -z "$answer" ] && [ -t 0 ]; then
        printf '%s (%s): ' "$1" "$2" >&2
        read -r answer || answer=''
    fi
    put "$1" "$answer"
    [ -n "$answer" ] || empty="$empty $1"
}

begin_file() {
    target=$overlay/$1.env new=''
    draft=$(draft) || fail "deploy/state cannot be written."
    if [ -e "$target" ] || [ -L "$target" ]; then
        [ -r "$target" ] || fail "$target cannot be read; nothing was changed."
        awk 1 "$target" >"$draft"
    else
        new=yes
        echo "# $2; a value stands as it is, without quotes." >"$draft"
    fi
}
end_file() {
    if [ -n "$new" ]; then
        # A link appears whole or not at all, and never in place of another file.
        ln "$draft" "$target" 2>/dev/null || (set -C && cat "$draft" >"$target") 2>/dev/null ||
            fail "$target exists already or cannot be written."
        made=yes
        echo "deploy/kubernetes/$target is made, readable by you alone."
    elif ! awk 1 "$target" | cmp -s - "$draft"; then
        real=$(readlink -f "$target")
        chmod "$(stat -c %a "$real")" "$draft"
        chown "$(stat -c %u:%g "$real")" "$draft" 2>/dev/null || true
        mv -f "$draft" "$real"
        made=yes
        echo "deploy/kubernetes/$target has what was missing."
    fi
    rm -f "$draft"
    draft=''
}

begin_file secrets 'The apps'"'"' secrets'
generate SECRET_KEY
[ -z "$new" ] || cat >>"$draft" <<'OPTIONAL'
# Optional; the apps' own settings are here as well, since some of them are secrets.
#REDIS_HOST=
#REDIS_PORT=
#REDIS_DB=
#REDIS_PASSWORD=
#ACCESS_TOKEN_EXPIRE_MINUTES=
#REFRESH_TOKEN_EXPIRE_DAYS=
#PROJECT_NAME=
#API_V1_STR=
#BACKEND_CORS_ORIGINS=
#SMTP_HOST=
#SMTP_PORT=
#SMTP_USER=
#SMTP_PASSWORD=
#SMTP_TLS=
#MAX_UPLOAD_SIZE=
#ALLOWED_EXTENSIONS=
#LOG_LEVEL=
#LOG_FORMAT=
#TRUST_HOST=
#ALLOWED_HOSTS=
#RATE_LIMIT_ENABLED=
#RATE_LIMIT_REQUESTS=
#RATE_LIMIT_WINDOW=
#SENTRY_DSN=
#ENABLE_METRICS=
#DEBUG=
#NEXTAUTH_URL=
#NEXTAUTH_SECRET=
#SESSION_TIMEOUT=
#GOOGLE_CLIENT_ID=
#GOOGLE_CLIENT_SECRET=
#GITHUB_CLIENT_ID=
#GITHUB_CLIENT_SECRET=
#SENTRY_AUTH_TOKEN=
#ANALYZE=
#STRIPE_SECRET_KEY=
#EMAIL_SERVICE_API_KEY=
OPTIONAL
end_file

begin_file passwords 'The databases'"'"' passwords'
generate POSTGRES_PASSWORD
end_file
[ -n "$made$empty" ] || echo "All of it exists already; nothing was changed."
[ -z "$empty" ] || echo "Fill in, as the apps do not start without:$empty." >&2
