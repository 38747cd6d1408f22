#!/bin/sh
# What the containers of the jobs `backup`, `backups` and `restore` do, one after the other.
#   save NAME      adds NAME to a new backup
#   finish NAME…   completes it, if all of these are in it, with checksums
#   list           which backups there are; with BACKUP set, whether that one (or the newest) is whole
#   restore NAME   brings NAME back from BACKUP
set -eu
# Containers have users of their own, but one group.
umask 007
cd /backups
# Of this pod alone.
partial=.partial-$(cat /etc/hostname) kept='postgres'

fail() {
    echo "backup: $1" >&2
    exit 1
}

whole() {
    for folder in [0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]-[0-9][0-9][0-9][0-9][0-9][0-9]Z; do
        [ ! -f "$folder/SHA256SUMS" ] || echo "$folder"
    done
}

# Removes what is older than KEEP_DAYS, but never the newest three, and what a dead pod left.
prune() {
    find . -maxdepth 1 -name '.partial-*' -mmin +1440 -exec rm -rf {} +
    # Numbers that compare as the times do.
    oldest=$(date -u -d "@$(($(date +%s) - ${KEEP_DAYS-14} * 86400))" +%Y%m%d%H%M%S)
    count=$(whole | wc -l)
    for old in $(whole); do
        [ "$count" -gt 3 ] || break
        count=$((count - 1))
        if [ "$(echo "$old" | tr -d -- -Z)" -lt "$oldest" ]; then
            rm -rf "$old"
            echo "Removed $old."
        fi
    done
}

# Secrets come as files.
case ${1-}-${2-} in
    save-postgres | restore-postgres) POSTGRES_PASSWORD=$(cat /etc/secrets/POSTGRES_PASSWORD); export POSTGRES_PASSWORD ;;
esac

case ${1-} in
    save)
        # A full volume must not keep the next backup from being made.
        [ -d "$partial" ] || prune
        mkdir -p "$partial"
        rm -f "$partial/$2".*
        export WORK="/backups/$partial"
        # The network may know a new pod only after some seconds.
        for wait in 5 15 30 ''; do
            ! sh "/scripts/$2.sh" backup >"$partial/$2.new" 2>"/tmp/said" || break
            cat "/tmp/said" >&2
            [ -n "$wait" ] || fail "$2 was not backed up."
            sleep "$wait"
        done
        sed -n "s/^count/count $2/p" "/tmp/said" >"$partial/$2.count"
        mv "$partial/$2.new" "$partial/$2.backup"
        ;;
    finish)
        shift
        stamp=$(date -u +%Y%m%d-%H%M%SZ)
        for name; do
            [ -s "$partial/$name.backup" ] || fail "$name is missing."
            cat "$partial/$name.count" >>"$partial/manifest"
            rm "$partial/$name.count"
        done
        echo "stamp $stamp" >>"$partial/manifest"
        (cd "$partial" && sha256sum -- *.backup manifest >SHA256SUMS)
        sync
        mv "$partial" "$stamp"
        echo "Backed up $* to $stamp."
        prune
        ;;
    list)
        [ -n "${BACKUP-}" ] || {
            for name in $(whole); do du -sh "$name"; done
            exit
        }
        name=$BACKUP
        [ "$name" != latest ] || name=$(whole | tail -n 1)
        [ -n "$name" ] && [ -f "$name/SHA256SUMS" ] || fail "There is no backup ${name:-yet}."
        (cd "$name" && sha256sum -c SHA256SUMS >/dev/null) || fail "The backup $name is damaged."
        for one in $kept; do
            [ -f "$name/$one.backup" ] || fail "The backup $name has no $one."
        done
        echo "$name"
        ;;
    restore)
        sh "/scripts/$2.sh" restore <"$BACKUP/$2.backup"
        echo "Restored $2 from $BACKUP."
        ;;
    *) fail 'save, finish, list or restore?' ;;
esac
