#!/bin/sh
# What the scripts for backups do with {{ folder.title }}, in a container of the app's image.
#   size     bytes that a backup takes at most
#   backup   the files (tar, gzipped) to standard output, and to standard error their number, as:
#            count files NUMBER
#   restore  replaces the files by those on standard input
#   count    the number of files
set -eu
umask 077
failed=/tmp/backup-failed.$$ list=/tmp/backup-list.$$ replaced=/tmp/backup-replaced.$$

fail() {
    echo "{{ folder.name }}: $1" >&2
    exit 1
}

# SQLite's databases as SQLite copies them, whole although they are written meanwhile: into the folder
# .sqlite-copies here, from where a restore takes them. Prints the files that they take the place of.
copy_databases() {
{% if folder.app.runtime.name == "python" %}
    python - <<'END'
import os
import sqlite3
import sys
import time
from contextlib import closing

def limit(*_):
    if time.monotonic() > until:
        raise TimeoutError("it is locked for minutes")

for folder, folders, names in os.walk("."):
    folders[:] = [name for name in folders if name != ".sqlite-copies"]
    for path in (os.path.join(folder, name) for name in names):
        try:
            with open(path, "rb") as file:
                if file.read(16) != b"SQLite format 3\0":
                    continue
            copy, until = os.path.join(".sqlite-copies", path), time.monotonic() + 300
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
                source.backup(target, progress=limit)
            os.chmod(copy, os.stat(path).st_mode & 0o7777)
        except (OSError, sqlite3.Error) as error:
            print(f"warning: {path} is saved as it lies there: {error}", file=sys.stderr)
            if os.path.exists(os.path.join(".sqlite-copies", path)):
                os.remove(os.path.join(".sqlite-copies", path))
            continue
        print(path, f"{path}-wal", f"{path}-shm", f"{path}-journal", sep="\n")
END
{% else %}
    NODE_NO_WARNINGS=1 node - <<'END'
const fs = require('fs')
const { dirname, join } = require('path')
let Database
try {
  Database = require('node:sqlite').DatabaseSync
} catch {
  try {
    Database = require('/app/node_modules/better-sqlite3')
  } catch {}
}
const header = Buffer.from('SQLite format 3\0')
function walk(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory() && entry.name !== '.sqlite-copies') walk(path)
    if (entry.isFile()) save(path)
  }
}
function save(path) {
  const copy = join('.sqlite-copies', path)
  try {
    const start = Buffer.alloc(16)
    const file = fs.openSync(path)
    fs.readSync(file, start)
    fs.closeSync(file)
    if (!start.equals(header)) return
    if (!Database) throw new Error('this takes Node 22.13, or better-sqlite3')
    fs.mkdirSync(dirname(copy), { recursive: true })
    const database = new Database(path)
    database.exec('PRAGMA busy_timeout = 60000')
    database.exec(`VACUUM INTO '${copy.replaceAll("'", "''")}'`)
    database.close()
    fs.chmodSync(copy, fs.statSync(path).mode & 0o7777)
  } catch (error) {
    console.error(`warning: ${path} is saved as it lies there: ${error.message}`)
    fs.rmSync(copy, { force: true })
    return
  }
  console.log([path, `${path}-wal`, `${path}-shm`, `${path}-journal`].join('\n'))
}
walk('.')
END
{% endif %}
}

cd {{ q.shell(folder.path) }}
case ${1-} in
    size) du -sk . | awk '{ printf "%d\n", $1 * 1024 }' ;;
    backup)
        # What a killed run left.
        rm -rf .sqlite-copies
        trap 'rm -rf .sqlite-copies' EXIT
        trap 'exit 143' HUP INT TERM
        copy_databases >"$replaced"
        # These need not be saved as they lie there, too: patterns, where tar takes any.
        sed 's/[][*?\\]/\\&/g' "$replaced" >"$replaced.patterns"
        without=''
        ! tar --help 2>&1 | grep -q -e '-X,\? ' || without="-X $replaced.patterns"
        # GNU tar ends with 1 where a file changed while it was read.
        tolerated=0
        ! tar --version 2>/dev/null | grep -q GNU || tolerated=1
        rm -f "$failed"
        # shellcheck disable=SC2086 # two words, or none
        { tar -cvf - $without . 2>"$list" || [ $? -le "$tolerated" ] || touch "$failed"; } | gzip
        [ ! -e "$failed" ] || { grep -v '^\./' "$list" >&2 && fail 'The files could not be read.'; }
        echo "count files $(grep '^\./.*[^/]$' "$list" | grep -c -v -x -F -f "$replaced" || true)" >&2
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
        if [ -d .restored/.sqlite-copies ]; then
            (cd .restored/.sqlite-copies && find . -type f) | while IFS= read -r file; do
                mkdir -p ".restored/$(dirname "$file")"
                rm -f ".restored/$file-wal" ".restored/$file-shm" ".restored/$file-journal"
                mv ".restored/.sqlite-copies/$file" ".restored/$file"
            done
            rm -rf .restored/.sqlite-copies
        fi
        find . -mindepth 1 -maxdepth 1 ! -name .restored -exec rm -rf {} +
        find .restored -mindepth 1 -maxdepth 1 -exec mv {} . \;
        rmdir .restored
        ;;
    count) echo "count files $(find . ! -type d | wc -l | tr -d ' ')" ;;
    *) fail 'size, backup, restore or count?' ;;
esac
