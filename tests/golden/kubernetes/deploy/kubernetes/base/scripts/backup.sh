#!/bin/sh
# What the containers of the jobs `backup`, `backups` and `restore` do, one after the other.
#   save NAME      adds NAME to a new backup
#   finish NAME…   completes it, if all of these are in it, with checksums
#   list           which backups there are; with BACKUP set, whether that one (or latest) is whole
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

# The oldest first: by the numbers in their manifests, as a clock may have been wrong.
whole() {
    for folder in [0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]-[0-9][0-9][0-9][0-9][0-9][0-9]Z; do
        [ ! -f "$folder/SHA256SUMS" ] || echo "$(sequence_of "$folder") $folder"
    done | sort -k 1,1n -k 2,2 | cut -d ' ' -f 2
}
# Backups of earlier versions of this script have no number.
sequence_of() {
    told "$1" sequence | awk '{ last = $1 + 0 } END { print last + 0 }'
}

# Why this backup is made, by the name of its job.
case $(cat /etc/hostname) in
    backup-before-deploy-*) reason='before deploy' ;;
    backup-before-restore-*) reason='before restore' ;;
    backup-[0-9]*) reason=nightly ;;
    *) reason='by hand' ;;
esac
told() {
    sed -n "s/^$2 //p" "$1/manifest"
}

# The network knows a new pod only after a moment: until then its connections are refused. Nothing is
# touched before that.
reach() {
    tries=0
    until sh "/scripts/$1.sh" ready >/tmp/said 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 30 ] || { cat /tmp/said >&2 && fail "$1 cannot be reached."; }
        sleep 2
    done
}

# The same as `whole`, without what restores made of what they were about to replace: brought back,
# they would bring the accident back.
ordinary() {
    for one in $(whole); do
        [ "$(told "$one" reason)" = 'before restore' ] || echo "$one"
    done
}

# When a backup was made, by the clock of then: seconds since 1970.
time_of() {
    date -u -d "$(echo "$1" | sed 's/\(....\)\(..\)\(..\)-\(..\)\(..\)\(..\)Z/\1-\2-\3 \4:\5:\6/')" +%s 2>/dev/null || echo 0
}

# Removes what a dead pod left, and what is older than KEEP_DAYS, but not the newest three, nor three
# that no restore made, nor those of the last seven days that have one. One that is about to be restored
# may be as old. A node's clock may have jumped: ages count from the last backup, if that is earlier.
prune() {
    [ "$reason" != 'before restore' ] || return 0
    find . -maxdepth 1 -name '.partial-*' -mmin +1440 -exec rm -rf {} +
    now=$(date +%s) last=$(whole | tail -n 1) kept_days=${KEEP_DAYS-14}
    last=$(time_of "${1:-$last}")
    [ "$now" -ge "$last" ] || echo "The backup before is of the future: is the node's clock right? It says $(date)." >&2
    { [ "$last" -eq 0 ] || [ "$now" -lt "$last" ]; } || now=$last
    staying=" $({
        whole | tail -n 3
        ordinary | tail -n 3
        whole | awk -v days=$((kept_days < 7 ? kept_days : 7)) '{ name[NR] = $0 }
            END { for (i = NR; i && (count += !seen[substr(name[i], 1, 8)]++) <= days; i--) print name[i] }'
    } | tr '\n' ' ')"
    for old in $(whole); do
        case $staying in *" $old "*) continue ;; esac
        if [ $((now - $(time_of "$old"))) -gt $((kept_days * 86400)) ]; then
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
        [ "$2" = uploads ] || reach "$2"
        sh "/scripts/$2.sh" backup >"$partial/$2.new" 2>/tmp/said || { cat /tmp/said >&2 && fail "$2 was not backed up."; }
        sed -n "s/^count/count $2/p" /tmp/said >"$partial/$2.count"
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
        last=$(whole | tail -n 1)
        printf 'stamp %s\nsequence %s\nreason %s\n' "$stamp" "$((${last:+$(sequence_of "$last")} + 1))" "$reason" >>"$partial/manifest"
        (cd "$partial" && sha256sum -- *.backup manifest >SHA256SUMS)
        sync
        mv "$partial" "$stamp"
        echo "Backed up $* to $stamp."
        prune "$last"
        ;;
    list)
        [ -n "${BACKUP-}" ] || {
            for name in $(whole); do
                size=$(du -sh "$name" | cut -f 1) why=$(told "$name" reason)
                printf '%s  %s UTC  %6s  %s\n' "$name" \
                    "$(echo "$name" | sed 's/\(....\)\(..\)\(..\)-\(..\)\(..\).*/\1-\2-\3 \4:\5/')" "$size" "$why"
            done
            exit
        }
        name=$BACKUP
        [ "$name" != latest ] || name=$(ordinary | tail -n 1)
        [ -n "$name" ] && [ -f "$name/SHA256SUMS" ] || fail "There is no backup ${name:-yet}."
        (cd "$name" && sha256sum -c SHA256SUMS >/dev/null) || fail "The backup $name is damaged."
        for one in $kept; do
            [ -f "$name/$one.backup" ] || fail "The backup $name has no $one."
        done
        echo "$name"
        ;;
    restore)
        # What is restored in its volume is stopped.
        case $2 in uploads) ;; *) reach "$2" ;; esac
        sh "/scripts/$2.sh" restore <"$BACKUP/$2.backup"
        echo "Restored $2 from $BACKUP."
        ;;
    *) fail 'save, finish, list or restore?' ;;
esac
