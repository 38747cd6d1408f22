#!/bin/sh
# What the scripts for backups and passwords do with Redis, in its container or beside it; a restore
# needs its volume, while Redis is stopped.
#   size      bytes that a backup takes at most
#   backup    a snapshot (RDB, gzipped) to standard output, and to standard error the number of its
#             keys without those that expire, as: count keys NUMBER
#   restore   replaces everything by the snapshot on standard input
#   count     the number of keys without those that expire
#   ready     whether it takes connections
#   password  takes a password from standard input that holds beside the present one
set -eu
umask 077

fail() {
    echo "redis: $1" >&2
    exit 1
}

# Redis is here, or where REDIS_HOST says.
cli() { redis-cli ${REDIS_HOST:+-h "$REDIS_HOST"} "$@"; }
info() { cli "$@" | tr -d '\r'; }

case ${1-} in
    size) info INFO memory | sed -n 's/^used_memory:/ /p' ;;
    backup)
        # Through a file, so that it is checked before it counts as a backup.
        folder=${WORK-/data}
        for file in "$folder"/backup.*.rdb; do
            pid=${file##*/backup.} pid=${pid%.rdb}
            [ -e "/proc/$pid" ] || rm -f "$file" # what a killed run left
        done
        file=$folder/backup.$$.rdb
        trap 'rm -f "$file"' EXIT
        trap 'exit 143' HUP INT TERM
        cli --rdb "$file" >/dev/null 2>/tmp/rdb.log || { cat /tmp/rdb.log >&2 && fail 'No snapshot was made.'; }
        redis-check-rdb "$file" >/tmp/rdb.log || { cat /tmp/rdb.log >&2 && fail 'The snapshot is damaged.'; }
        keys=$(sed -n 's/.* \([0-9]*\) keys read$/\1/p' /tmp/rdb.log)
        expiring=$(sed -n 's/.* \([0-9]*\) expires$/\1/p' /tmp/rdb.log)
        gzip -c "$file"
        echo "count keys $((keys - expiring))" >&2
        ;;
    restore)
        unset REDISCLI_AUTH
        cd /data
        rm -rf restored
        mkdir restored
        cat >restored/given
        gzip -dc <restored/given >restored/dump.rdb 2>/dev/null || mv restored/given restored/dump.rdb
        rm -f restored/given
        redis-check-rdb restored/dump.rdb >/tmp/rdb.log || { cat /tmp/rdb.log >&2 && fail 'The snapshot is damaged.'; }
        # With an append-only file Redis reads that alone, and starts empty where there is none: so
        # a server without one loads the snapshot, then writes one.
        socket=/tmp/restore.sock
        redis-server --dir /data/restored --appendonly no --save '' --port 0 --unixsocket "$socket" >/tmp/restore.log &
        server=$!
        local_cli() { redis-cli -s "$socket" "$@" 2>&1 | tr -d '\r'; }
        until [ "$(local_cli PING)" = PONG ]; do
            kill -0 "$server" 2>/dev/null || { cat /tmp/restore.log >&2 && fail 'The snapshot was not taken.'; }
            sleep 1
        done
        [ "$(local_cli CONFIG SET appendonly yes)" = OK ] || fail 'No append-only file was made.'
        until local_cli INFO persistence | grep -qx aof_rewrite_in_progress:0 &&
            local_cli INFO persistence | grep -qx aof_rewrite_scheduled:0; do
            sleep 1
        done
        local_cli INFO persistence | grep -qx aof_last_bgrewrite_status:ok || fail 'No append-only file was made.'
        local_cli SHUTDOWN NOSAVE >/dev/null
        wait "$server" || true
        rm -rf replaced
        mkdir replaced
        for name in appendonlydir appendonly.aof dump.rdb; do
            [ ! -e "$name" ] || mv "$name" replaced/
        done
        for name in appendonlydir appendonly.aof; do
            [ ! -e "restored/$name" ] || mv "restored/$name" .
        done
        rm -rf restored replaced
        ;;
    count)
        info INFO keyspace | tr ',' '=' | awk -F= '/^db/ { keys += $2 - $4 } END { print "count keys", keys + 0 }'
        ;;
    ready) [ "$(info PING)" = PONG ] ;;
    password)
        IFS= read -r new
        # On standard input, as arguments show in ps. The present one holds until Redis starts anew.
        [ "$(printf 'ACL SETUSER default ">%s"\n' "$new" | redis-cli | tr -d '\r')" = OK ] || fail 'The new password was not taken.'
        ;;
    *) fail 'size, backup, restore, count, ready or password?' ;;
esac
