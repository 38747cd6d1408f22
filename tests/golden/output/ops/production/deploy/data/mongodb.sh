#!/bin/sh
# What the scripts for backups and passwords do with MongoDB, in its container or beside it. Users are
# not restored: they come from the settings.
#   size      bytes that a backup takes at most
#   backup    mongodump's archive (gzipped) to standard output, and to standard error the number of
#             documents in it, as: count DATABASE.COLLECTION NUMBER
#   restore   replaces everything by the archive on standard input
#   count     the number of documents of each collection
#   ready     whether it takes connections
#   password  takes the new password from standard input, and in a second line the one in the settings,
#             which holds where a change before this one was interrupted
set -eu
umask 077
failed=/tmp/backup-failed.$$

fail() {
    echo "mongodb: $1" >&2
    exit 1
}

# The password comes from the environment: arguments show in ps.
mongo() {
    mongosh --quiet --norc --nodb --eval "
        const env = process.env, login = [env.MONGO_INITDB_ROOT_USERNAME, env.MONGO_INITDB_ROOT_PASSWORD];
        const server = new Mongo('mongodb://' + login.map(encodeURIComponent).join(':') + '@' + (env.MONGODB_HOST || '127.0.0.1') + ':27017/?authSource=admin');
        const databases = server.getDBNames().filter((name) => !['admin', 'config', 'local'].includes(name));
        $1" </dev/null
}

needs() {
    command -v "$1" >/dev/null || fail "$1 is not in this image: choose one that has MongoDB's database tools."
}

# The tools take it from a file.
tool() {
    printf "password: '%s'\n" "$(printf %s "$MONGO_INITDB_ROOT_PASSWORD" | sed "s/'/''/g")" >/tmp/login.yaml
    "$@" --config /tmp/login.yaml --host "${MONGODB_HOST-127.0.0.1}" --username "$MONGO_INITDB_ROOT_USERNAME" --authenticationDatabase admin
}

case ${1-} in
    size) mongo 'print(databases.reduce((sum, name) => sum + Number(server.getDB(name).stats().dataSize), 0))' ;;
    backup)
        needs mongodump
        rm -f "$failed"
        # What it says of each collection is the number that the archive holds.
        { tool mongodump --archive --gzip 2>&3 || touch "$failed"; } 3>/tmp/mongodump.log
        [ ! -e "$failed" ] || { cat /tmp/mongodump.log >&2 && fail 'mongodump failed.'; }
        sed -n 's/.*done dumping \(.*\) (\([0-9]*\) documents*)$/count \1 \2/p' /tmp/mongodump.log |
            grep -v '^count \(admin\|config\|local\)\.' | sort >&2 || true
        ;;
    restore)
        # Before anything is dropped.
        needs mongorestore
        head=/tmp/restore-head zipped=''
        dd bs=1 count=2 of="$head" 2>/dev/null
        [ "$(od -An -tx1 -N2 "$head" | tr -d ' ')" != 1f8b ] || zipped=--gzip
        mongo 'databases.forEach((name) => server.getDB(name).dropDatabase())' >/dev/null
        # shellcheck disable=SC2086 # an option, or none
        cat "$head" - | tool mongorestore --quiet --archive $zipped --stopOnError --nsExclude 'admin.*' --nsExclude 'config.*'
        ;;
    count)
        mongo "for (const name of databases) {
            const db = server.getDB(name);
            for (const { name: collection, type } of db.getCollectionInfos())
                if (type !== 'view' && !collection.startsWith('system.'))
                    print('count ' + name + '.' + collection + ' ' + db.getCollection(collection).countDocuments({}));
        }" | sort
        ;;
    ready) mongo 'print(databases.length)' >/dev/null ;;
    password)
        IFS= read -r NEW_PASSWORD
        IFS= read -r present || present=''
        export NEW_PASSWORD
        change="server.getDB('admin').changeUserPassword(env.MONGO_INITDB_ROOT_USERNAME, env.NEW_PASSWORD)"
        mongo "$change" >/dev/null 2>/tmp/password.log || {
            [ -n "$present" ] && MONGO_INITDB_ROOT_PASSWORD=$present mongo "$change" >/dev/null 2>&1
        } || { cat /tmp/password.log >&2 && fail 'The new password was not taken.'; }
        ;;
    *) fail 'size, backup, restore, count, ready or password?' ;;
esac
