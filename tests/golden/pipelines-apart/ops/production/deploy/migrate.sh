#!/bin/sh
# Brings the PostgreSQL schema up to date: first the extensions it needs (EXTENSIONS, or arguments),
# then every numbered file of /migrations that is not yet in the table schema_migrations. Each file
# runs in a transaction of its own; a lock lets a second run at the same time wait and then find
# nothing left to do.
set -eu

: "${POSTGRES_SERVER:?is not set: the database has no address}"
export PGHOST="$POSTGRES_SERVER" PGPORT="${POSTGRES_PORT:-5432}" PGUSER="${POSTGRES_USER:-postgres}"
export PGDATABASE="${POSTGRES_DB:-$PGUSER}" PGPASSWORD="${POSTGRES_PASSWORD-}"

sql() { psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 "$@"; }

# A network may know a new container only after some seconds.
tries=0
until pg_isready --quiet || [ "$tries" -ge 30 ]; do
    tries=$((tries + 1))
    sleep 2
done

for extension in ${EXTENSIONS-} "$@"; do
    sql --set name="$extension" <<'SQL' || { echo "migrate: extension $extension failed" >&2; exit 1; }
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT pg_advisory_xact_lock(hashtext('schema_migrations')) \g /dev/null
CREATE EXTENSION IF NOT EXISTS :"name";
COMMIT;
SQL
    echo "migrate: extension $extension is there"
done

[ -d /migrations ] || exit 0

sql <<'SQL'
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT pg_advisory_xact_lock(hashtext('schema_migrations')) \g /dev/null
CREATE TABLE IF NOT EXISTS schema_migrations (
    version varchar(255) PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);
COMMIT;
SQL

for file in /migrations/[0-9]*.sql; do
    [ -e "$file" ] || continue
    version=$(basename "$file" .sql)
    sql --set file="$file" --set version="$version" <<'SQL' || {
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT pg_advisory_xact_lock(hashtext('schema_migrations')) \g /dev/null
SELECT NOT EXISTS (SELECT FROM schema_migrations WHERE version = :'version') AS pending \gset
\if :pending
    \echo migrate: :version
    \i :file
    INSERT INTO schema_migrations (version)
    SELECT :'version' WHERE NOT EXISTS (SELECT FROM schema_migrations WHERE version = :'version');
\endif
COMMIT;
SQL
        echo "migrate: $version failed and was rolled back; mend $file and start again" >&2
        exit 1
    }
done
echo "migrate: the schema is up to date"
