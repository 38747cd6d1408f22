#!/bin/sh
# Makes the secrets of an environment, once: new ones where that can be, questions for the rest.
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

# 256 random bits in letters and digits.
generate() {
    bits=$(od -An -v -tx1 -N32 /dev/urandom | tr -d ' \t\r\n')
    [ ${#bits} -eq 64 ] || fail "/dev/urandom gives no random numbers."
    printf '%s=%s\n' "$1" "$bits" >>"$draft"
}

# From the environment, else from whoever sits at the terminal.
ask() {
    eval "answer=\${$1-}"
    if [ -z "$answer" ] && [ -t 0 ]; then
        printf '%s (%s): ' "$1" "$2" >&2
        read -r answer || answer=''
    fi
    printf '%s=%s\n' "$1" "$answer" >>"$draft"
    [ -n "$answer" ] || empty="$empty $1"
}

# Where one of the files is there already, only the other is made.
begin_file() {
    target=$overlay/$1.env
    [ ! -e "$target" ] && [ ! -L "$target" ] || return
    made=yes
    draft=$(draft) || fail "deploy/state cannot be written."
    echo "# $2; a value stands as it is, without quotes." >>"$draft"
}
end_file() {
    # A link appears whole or not at all, and never in place of another file.
    ln "$draft" "$target" 2>/dev/null || (set -C && cat "$draft" >"$target") 2>/dev/null ||
        fail "$target exists already or cannot be written."
    rm -f "$draft"
    draft=''
    echo "deploy/kubernetes/$target is made, readable by you alone."
}

if begin_file secrets 'The apps'"'"' secrets'; then
    generate SECRET_KEY
    cat >>"$draft" <<'OPTIONAL'
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
fi

if begin_file passwords 'The databases'"'"' passwords'; then
    generate POSTGRES_PASSWORD
    end_file
fi
[ -n "$made" ] || fail "All of it exists already; nothing was changed."
[ -z "$empty" ] || fail "Fill in, as the apps do not start without:$empty"
