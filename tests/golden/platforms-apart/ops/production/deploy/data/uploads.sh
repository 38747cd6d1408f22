#!/bin/sh
# What the scripts for backups do with uploaded files, in a container of the app's image.
#   size     bytes that a backup takes at most
#   backup   the files (tar, gzipped) to standard output, and to standard error their number, as:
#            count files NUMBER
#   restore  replaces the files by those on standard input
#   count    the number of files
set -eu
umask 077
failed=/tmp/backup-failed.$$ list=/tmp/backup-list.$$

fail() {
    echo "uploads: $1" >&2
    exit 1
}

cd /app/uploads
case ${1-} in
    size) du -sk . | awk '{ printf "%d\n", $1 * 1024 }' ;;
    backup)
        # GNU tar ends with 1 where a file changed while it was read.
        tolerated=0
        ! tar --version 2>/dev/null | grep -q GNU || tolerated=1
        rm -f "$failed"
        { tar -cvf - . 2>"$list" || [ $? -le "$tolerated" ] || touch "$failed"; } | gzip
        [ ! -e "$failed" ] || { grep -v '^\./' "$list" >&2 && fail 'The files could not be read.'; }
        echo "count files $(grep -c '^\./.*[^/]$' "$list" || true)" >&2
        ;;
    restore)
        # Unpacked beside the old files, which go when all is there.
        rm -rf .restored .restored.tar
        mkdir .restored
        cat >.restored.tar
        if gzip -t <.restored.tar 2>/dev/null; then
            gzip -dc <.restored.tar | tar -C .restored -xpf -
        else
            tar -C .restored -xpf .restored.tar
        fi
        rm .restored.tar
        find . -mindepth 1 -maxdepth 1 ! -name .restored -exec rm -rf {} +
        find .restored -mindepth 1 -maxdepth 1 -exec mv {} . \;
        rmdir .restored
        ;;
    count) echo "count files $(find . ! -type d | wc -l | tr -d ' ')" ;;
    *) fail 'size, backup, restore or count?' ;;
esac
