#!/bin/bash
# Applies the migrations that the development database has not seen yet.
set -euo pipefail
cd "$(dirname "$0")/.."
set -a && source .env && set +a
export PGPASSWORD="$POSTGRES_PASSWORD"
sql() { psql -h "$POSTGRES_HOST" -p "$POSTGRES_PORT" -U "$POSTGRES_USER" -d "$POSTGRES_DB" -v ON_ERROR_STOP=1 -qtA "$@"; }

sql -c "CREATE TABLE IF NOT EXISTS schema_migrations
        (version text PRIMARY KEY, applied_at timestamptz DEFAULT now())"
for file in migrations/*.sql; do
    version=$(basename "$file" .sql)
    [ -n "$(sql -c "SELECT 1 FROM schema_migrations WHERE version = '$version'")" ] && continue
    sql -1 -f "$file" -c "INSERT INTO schema_migrations (version) VALUES ('$version')"
    echo "applied $version"
done
