#!/bin/sh
# Shows on one screen how the stack is, and changes nothing: what runs, since when, in which version,
# memory and disk against their limits, backups, deployments, the certificate. Times are UTC.
#   sh deploy/status.sh [--env NAME]
# The exit code is 0 if all is well; else 1, and the last lines say what is not, and what to do.
set -eu
# Also where Docker or the settings are gone.
looking=yes lacking=''
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "$0")/common.sh"
# shellcheck source-path=SCRIPTDIR source=data/common.sh
. deploy/data/common.sh

problems=$lacking
now=$(date +%s)
# What is not well: SENTENCE [COMMAND]
problem() {
    problems="$problems$1${2:+
  $2}
"
}
row() {
    printf '%-13s%s\n' "$1" "$2" | cut -c 1-80
}
# Seconds since 1970 of a time such as 2026-01-31T12:00:00Z.
seconds() {
    date -u -d "$(printf %.19s "$1" | tr T ' ')" +%s 2>/dev/null || echo "$now"
}
span() {
    if [ "$1" -lt 7200 ]; then
        echo "$(($1 / 60)) minutes"
    elif [ "$1" -lt 172800 ]; then
        echo "$(($1 / 3600)) hours"
    else
        echo "$(($1 / 86400)) days"
    fi
}

echo "$project on $(uname -n), $(date -u '+%Y-%m-%d %H:%M') UTC"
at_work=''
if [ -w "deploy/state/$project.deploy.lock" ] && command -v flock >/dev/null; then
    flock -n "deploy/state/$project.deploy.lock" true || at_work=yes
fi
[ -z "$at_work" ] || echo "A deployment, restore or change of a password is at work."

if docker info >/dev/null 2>&1; then
    echo
    printf '%-10s %-10s %-16s %-26s %s\n' SERVICE STATE SINCE VERSION MEMORY
    # shellcheck disable=SC2046 # ids are words
    memory=$(docker stats --no-stream --no-trunc --format '{{.ID}} {{.MemPerc}} {{.MemUsage}}' \
        $(containers caddy app frontend worker scheduler chroma mongodb postgres redis) </dev/null 2>/dev/null) || memory=''
    tag=$(setting TAG latest) missing='' there='' all='caddy app frontend worker scheduler chroma mongodb postgres redis'
    for service in $all; do
        ids=$(containers --all "$service")
        if [ -z "$ids" ]; then
            printf '%-10s missing\n' "$service"
            missing="$missing${missing:+, }$service"
        fi
        for id in $ids; do
            state=$(state "$id") there=yes
            # shellcheck disable=SC2046 # three words
            set -- $(docker inspect --format '{{.State.StartedAt}} {{.Config.Image}} {{.State.ExitCode}}' "$id" 2>/dev/null || echo - - -)
            since=$(printf %.16s "$1" | tr T ' ') version=${2##*:} code=$3
            # shellcheck disable=SC2046 # as in: 12.50% 64MiB / 512MiB
            set -- $(printf '%s\n' "$memory" | sed -n "s/^$id //p")
            used=${1-} used=${used%%.*} limit=${4-}
            case $used in '' | *[!0-9]*) used='' ;; esac
            printf '%-10s %-10.10s %-16s %-26.26s %s\n' "$service" "$state" "$since" "$version" "${used:+$used % of $limit}"
            [ "${used:-0}" -lt 90 ] ||
                problem "$service uses $used % of its memory: raise $(echo "$service" | tr '[:lower:]' '[:upper:]')_MEMORY in $env_file."
            case $state in
                healthy) ;;
                created) missing="$missing${missing:+, }$service" ;;
                exited) missing="$missing${missing:+, }$service (ended with code $code)" ;;
                *) problem "$service is $state; its log:" "sh deploy/logs.sh$options $service" ;;
            esac
            case $service in
                app | frontend | worker | scheduler)
                    [ "$version" = "$tag" ] || [ -n "$at_work$lacking" ] ||
                        problem "$service runs version $version, but $env_file names $tag:" "sh deploy/deploy.sh$options --switch $tag"
                    ;;
            esac
        done
    done
    [ -z "$missing" ] || for id in $(containers --all migrate); do
        case $(state "$id")-$(docker inspect --format '{{.State.ExitCode}}' "$id" 2>/dev/null || true) in
            exited-0 | healthy-* | created-* | gone-*) ;;
            *) problem "migrate has failed; its log:" "sh deploy/logs.sh$options migrate" ;;
        esac
    done
    [ -n "$there" ] || missing=everything
    if [ -n "$missing" ] && [ -z "$lacking" ]; then
        start="$compose_shown up -d --no-build --wait"
        docker image inspect "$(setting IMAGE_APP all-app):$tag" >/dev/null 2>&1 ||
            start="sh deploy/deploy.sh$options"
        docker image inspect "$(setting IMAGE_FRONTEND all-frontend):$tag" >/dev/null 2>&1 ||
            start="sh deploy/deploy.sh$options"
        problem "Does not run: $missing. This starts it:" "$start"
    fi
    echo
fi

# The disks of Docker, of this folder and of the backups, each once: its size, what is free of it, in KB, and where.
disks=$(
    for folder in "$(docker info --format '{{.DockerRootDir}}' 2>/dev/null)" . "$backups"; do
        [ ! -e "$folder" ] || df -Pk "$folder" 2>/dev/null | tail -n 1
    done | awk '!seen[$1 ~ "^/" ? $1 : $NF]++ { print $2, $4, $NF }'
)
echo "$disks" | while read -r size free place; do
    [ -z "$size" ] || row Disk "$((free / 1024)) of $((size / 1024)) MB free at $place"
done
full=$(echo "$disks" | awk '$1 && ($2 < 524288 || $2 * 20 < $1) { print $3; exit }')
[ -z "$full" ] || problem "The disk at $full is nearly full; what Docker has of it:" "docker system df"

# The last line that runs of a kind have left, when it was, and how it ended.
last_run() {
    run=$(grep " $1 " "$history_file" 2>/dev/null | tail -n 1)
    when=$(printf %.16s "$run" | tr T ' ') result=$(echo "$run" | sed -n 's/.* result="\([^"]*\)".*/\1/p')
}
newest=$(list_backups | tail -n 1)
if [ -n "$newest" ]; then
    age=$((now - $(time_of "$newest")))
    row 'Last backup' "$newest, $(span "$age") ago, $(told "$backups/$newest" reason)"
    [ "$age" -le $((max_age_days * 86400)) ] || problem "The last good backup is $(span "$age") old:" "sh deploy/backup.sh$options"
    [ "$age" -ge -3600 ] || problem "The last backup, $newest, is in the future: is the clock right?"
else
    row 'Last backup' none
    problem "There is no backup yet:" "sh deploy/backup.sh$options"
fi
last_run backup
case $result in
    failed*) problem "The last run of backup.sh, $when, $result:" "sh deploy/backup.sh$options" ;;
esac
last_run drill
row 'Last drill' "${when:-none yet: sh deploy/backup-check.sh$options}${when:+, $result}"
case $result in
    '' | ok) ;;
    *) problem "The last drill did not prove its backup:" "sh deploy/backup-check.sh$options" ;;
esac

# A certificate's two times, from its bytes (RFC 5280, 4.1.2.5): YYMMDDhhmmss, or with the whole year.
validity() {
    docker exec "$caddy" cat "$1" 2>/dev/null </dev/null | sed '/-END/,$d; /-----/d' | base64 -d 2>/dev/null |
        od -An -v -tx1 | tr -d ' \n' | sed -n 's/.*30\(1e\|20\|22\)\(170d\|180f\)\(\(3[0-9]\)*\)5a\(170d\|180f\)\(\(3[0-9]\)*\)5a.*/\3 \6/p' |
        sed 's/3\([0-9]\)/\1/g'
}
moment() {
    case ${#1} in 12) digits=20$1 ;; *) digits=$1 ;; esac
    seconds "$(echo "$digits" | sed 's/\(....\)\(..\)\(..\)\(..\)\(..\)\(..\)/\1-\2-\3T\4:\5:\6/')"
}
caddy=$(containers caddy | head -n 1)
domains=$(printf '%s,%s' "$(setting DOMAIN '')" "$(setting MORE_DOMAINS '')" | tr ',' ' ')
[ -z "$(setting SITE_ADDRESS '')" ] || domains=''
for domain in $domains; do
    file=$(docker exec "$caddy" find /data/caddy/certificates -path "*/$domain/$domain.crt" 2>/dev/null </dev/null | tail -n 1)
    # shellcheck disable=SC2046 # two words
    set -- $([ -z "$file" ] || validity "$file")
    if [ $# -eq 2 ]; then
        ends=$(moment "$2")
        row Certificate "$domain, until $(date -u -d "@$ends" '+%Y-%m-%d %H:%M')"
        # The proxy renews it when a third of its time is left.
        [ $(((ends - now) * 6)) -ge $((ends - $(moment "$1"))) ] ||
            problem "The certificate of $domain has not been renewed; the proxy says why:" "sh deploy/logs.sh$options caddy"
    elif [ -n "$caddy" ]; then
        row Certificate "$domain, not there yet"
        problem "There is no certificate of $domain yet; the proxy says why:" "sh deploy/logs.sh$options caddy"
    fi
done

title=Deployments
grep ' deploy version=' "$history_file" 2>/dev/null | tail -n 3 |
    sed 's/^\(..........\)T\(.....\)[^ ]* deploy version=\([^ ]*\).* result="\([^"]*\)".*/\1 \2 \3, \4/' |
    while read -r line; do
        row "$title" "$line"
        title=''
    done

echo
if [ -z "$problems" ]; then
    echo 'All is well.'
else
    printf 'Not well:\n%s' "$problems"
    exit 1
fi
