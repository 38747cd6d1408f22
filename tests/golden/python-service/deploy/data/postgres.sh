#!/bin/sh
# What the scripts for backups and passwords do with PostgreSQL, in its container or beside it.
#   size      bytes that a backup takes at most
#   backup    a dump of one moment to standard output (pg_dump's custom format), and to standard error
#             the exact number of rows of that same moment, as: count TABLE ROWS
#   restore   replaces the database by a dump on standard input: the same, or SQL, or either gzipped
#   count     the number of rows of each table
#   ready     whether it takes connections
#   versions  the major versions of the data in the volume, or none, and of the image: 15 18
#   free      KB that are free in the volume
#   others    what no backup holds: other databases, and other roles
#   password  takes the new password from standard input
#   extensions  makes those that the project needs, where the apps' role may not
set -eu
umask 077
fail() {
    echo "postgres: $1" >&2
    exit 1
}

# Needs no server.
if [ "${1-}" = versions ]; then
    folder=/var/lib/postgresql/data
    [ -x "$folder" ] ||
        fail "The data belongs to user $(stat -c %u "$folder"), and this image runs as $(id -u): name an image of the same kind, alpine or not."
    program=${PG_MAJOR:-$(postgres --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')} data=none
    # Since 18 it lies in a folder of its version (docker-library/postgres#1259).
    for file in "$folder/PG_VERSION" "$folder/pgdata/PG_VERSION" "$folder"/*/docker/PG_VERSION; do
        [ ! -s "$file" ] || data=$(cat "$file")
    done
    [ "$program" -ge 18 ] && wanted=/var/lib/postgresql || wanted=/var/lib/postgresql/data
    [ "$wanted" = "$folder" ] ||
        fail "PostgreSQL $program does not keep its data in $folder: generate again with --set postgres.version=$program"
    echo "$data $program"
    exit
fi

# Nothing of the apps' schema may take the place of a function that is called here.
safe='--client-min-messages=warning -c search_path=pg_catalog'
export PGUSER="$POSTGRES_USER" PGDATABASE="$POSTGRES_DB" PGOPTIONS="$safe"
# Over the network, where PGHOST says.
[ -z "${PGHOST-}" ] || export PGPASSWORD="$POSTGRES_PASSWORD"
failed=/tmp/backup-failed.$$ beside=restored_beside replaced=replaced_by_restore

sql() { psql --no-psqlrc --quiet --no-align --tuples-only --field-separator ' ' --set ON_ERROR_STOP=1 "$@"; }

# The apps' role, which owns the database. Where an earlier version made that, it is the administrator,
# too; else that is postgres, who gets in from inside the container alone.
owner=$POSTGRES_USER template=template0
if [ "$(sql --dbname template1 --command 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user' 2>/dev/null)" = f ]; then
    template=template1
    [ -n "${PGHOST-}" ] || PGUSER=postgres
fi

counts="
SELECT format('SELECT %L, %L, count(*) FROM %I.%I', 'count', format('%I.%I', nspname, relname), nspname, relname)
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind = 'r' AND relpersistence <> 't' AND nspname <> 'information_schema' AND nspname !~ '^pg_'
ORDER BY nspname, relname \\gexec"

case ${1-} in
    size) sql --command 'SELECT pg_database_size(current_database())' ;;
    backup)
        rm -f "$failed"
        # The session keeps the moment for pg_dump, and counts in it; what it says itself goes to
        # standard error.
        sql 3>&1 >&2 <<SQL
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL lock_timeout = '5min';
SELECT pg_export_snapshot() AS snapshot \gset
\set dumped \`pg_dump --format custom --lock-wait-timeout 300000 --snapshot :'snapshot' >&3 && echo yes || { touch $failed; echo no; }\`
\if :dumped
$counts
\endif
COMMIT;
SQL
        [ ! -e "$failed" ] || fail 'pg_dump failed.'
        ;;
    restore)
        export PGDATABASE=template1
        dropdb --if-exists --force "$beside"
        createdb --template "$template" --owner "$owner" "$beside"
        # A dump that is not whole fails here; the database in use is not touched yet.
        head=/tmp/restore-head
        dd bs=1 count=5 of="$head" 2>/dev/null
        # As the apps' role, since a dump can hold any command; but comments on extensions, which are the
        # administrator's, are left out. They stand before the data.
        as_owner() {
            PGUSER=$owner PGOPTIONS='--client-min-messages=warning' "$@"
        }
        without_comments() {
            while IFS= read -r line || [ -n "$line" ]; do
                case $line in 'COMMENT ON EXTENSION '*) ;; *) printf '%s\n' "$line" ;; esac
                case $line in 'COPY '* | 'INSERT '*) break ;; esac
            done
            cat
        }
        load() {
            case $(dd bs=1 count=5 2>/dev/null <"$1" | tr -d '\0') in
                PGDMP)
                    # Its list of contents comes first.
                    { cat "$1" && dd bs=64k count=256 iflag=fullblock 2>/dev/null; } >"$head.start"
                    pg_restore --list "$head.start" >"$head.list"
                    grep -v '^[0-9]*; [0-9]* [0-9]* COMMENT - EXTENSION ' "$head.list" >"$head.wanted"
                    cat "$head.start" - |
                        as_owner pg_restore --no-owner --no-privileges --exit-on-error --use-list "$head.wanted" --dbname "$beside"
                    rm -f "$head".*
                    ;;
                *) cat "$1" - | without_comments | as_owner sql --single-transaction --dbname "$beside" >/dev/null ;;
            esac
        }
        if [ "$(od -An -tx1 -N2 "$head" | tr -d ' ')" = 1f8b ]; then
            rm -f "$failed"
            { cat "$head" - | gzip -dc || touch "$failed"; } | {
                dd bs=1 count=5 of="$head.inner" 2>/dev/null
                load "$head.inner"
            }
            [ ! -e "$failed" ] || fail 'The file is damaged.'
        else
            load "$head"
        fi
        # Of tables that are the administrator's it would warn.
        PGOPTIONS=--client-min-messages=error vacuumdb --quiet --analyze-only --dbname "$beside"
        # Both names change at once. Whoever is still connected to the old database is cut off.
        sql --set old="$POSTGRES_DB" --set new="$beside" --set gone="$replaced" <<'SQL'
DROP DATABASE IF EXISTS :"gone" WITH (FORCE);
SELECT EXISTS (SELECT FROM pg_database WHERE datname = :'old') AS present \gset
\if :present
    ALTER DATABASE :"old" ALLOW_CONNECTIONS false;
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = :'old' AND backend_type = 'client backend' \g /dev/null
\endif
BEGIN;
\if :present
    ALTER DATABASE :"old" RENAME TO :"gone";
\endif
ALTER DATABASE :"new" RENAME TO :"old";
COMMIT;
DROP DATABASE IF EXISTS :"gone" WITH (FORCE);
SQL
        ;;
    count)
        echo "$counts" | sql | sort
        ;;
    ready) pg_isready --quiet ;;
    free) df -Pk "$(sql --command 'SHOW data_directory')" | awk 'NR == 2 { print $4 }' ;;
    others)
        sql --set mine="$POSTGRES_DB" --set owner="$owner" <<'SQL'
SELECT 'database ' || datname FROM pg_database
WHERE NOT datistemplate AND datname NOT IN (:'mine', 'postgres') ORDER BY 1;
SELECT 'role ' || rolname FROM pg_roles
WHERE rolname !~ '^pg_' AND rolname NOT IN (:'owner', current_user) ORDER BY 1;
SQL
        ;;
    password)
        IFS= read -r new
        # psql makes the verifier itself, so that the password reaches no log of the server.
        before=$(echo "SELECT rolpassword FROM pg_authid WHERE rolname = :'owner'" | sql --set owner="$owner")
        printf '%s\n%s\n' "$new" "$new" | PGUSER=$owner sql --command '\password' >/tmp/password.log 2>&1 ||
            { cat /tmp/password.log >&2 && fail 'The new password was not taken.'; }
        # Over the network, as the apps do: on the socket no password is asked for.
        if [ "$(PGUSER=$owner PGPASSWORD=$new sql --host "$(hostname -i | cut -d ' ' -f 1)" --command 'SELECT 1')" != 1 ]; then
            printf "ALTER USER :\"owner\" PASSWORD '%s';\n" "$before" | sql --set owner="$owner"
            fail 'The new password was not taken; the old one holds.'
        fi
        ;;
    extensions)
        # Where the apps' role is a superuser, migrations make them.
        [ "$template" = template1 ] || exit 0
        [ "$PGUSER" != "$owner" ] || fail 'Only from inside the container.'
        # A restore makes its database of template1.
        for database in "$PGDATABASE" template1; do
            sql --dbname "$database" <<'SQL'
SET search_path = public;
CREATE EXTENSION IF NOT EXISTS "pgcrypto";
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE EXTENSION IF NOT EXISTS "vector";
SQL
        done
        ;;
    *) fail 'size, backup, restore, count, ready, versions, free, others, extensions or password?' ;;
esac
