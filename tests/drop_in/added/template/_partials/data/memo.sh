#!/bin/sh
# What the scripts for backups do with Memo, in its container or beside it.
#   size     bytes that a backup takes at most
#   backup   every text (tar, gzipped) to standard output, and to standard error their number, as:
#            count texts NUMBER
#   restore  replaces all texts by those on standard input
#   count    the number of texts
#   ready    whether it takes connections
set -eu
umask 077

fail() {
    echo "memo: $1" >&2
    exit 1
}

texts() { find /memo -type f | wc -l; }

case ${1-} in
    size) du -sk /memo | awk '{ printf "%d\n", $1 * 1024 }' ;;
    backup)
        tar -C /memo -cf - . | gzip
        echo "count texts $(texts)" >&2
        ;;
    restore)
        cat >/memo/.given
        gzip -t </memo/.given || fail 'These are no gzipped texts.'
        find /memo -mindepth 1 ! -name .given -delete
        gzip -dc </memo/.given | tar -C /memo -xpf -
        rm /memo/.given
        ;;
    count) echo "count texts $(texts)" ;;
    ready) python -c 'import os, socket; socket.create_connection((os.environ.get("MEMO_HOST", "127.0.0.1"), 11300))' ;;
    password) IFS= read -r _ ;; # it takes the new one when it starts anew
    *) fail 'size, backup, restore, count, ready or password?' ;;
esac
