-- Read once, when PostgreSQL makes a new database: the role that the apps log in with, POSTGRES_USER,
-- owns the database, and is no superuser. The administrator, postgres, has no password, and so gets in
-- from inside the container alone.
\set ON_ERROR_STOP on
\set owner `printf %s "$POSTGRES_USER"`
\set database `printf %s "$POSTGRES_DB"`
SELECT :'owner' <> 'postgres' AS apart \gset
\if :apart
-- The first role is the administrator for good, so it takes that name; no role can rename itself.
SELECT rolpassword AS password FROM pg_authid WHERE rolname = :'owner' \gset
CREATE ROLE postgres_init LOGIN SUPERUSER PASSWORD :'password';
\connect - postgres_init
BEGIN;
ALTER ROLE :"owner" RENAME TO postgres;
CREATE ROLE :"owner" LOGIN CREATEDB PASSWORD :'password';
ALTER DATABASE :"database" OWNER TO :"owner";
COMMIT;
\connect - postgres
DROP ROLE postgres_init;
\endif

-- In both, since a restore makes its database of template1.
CREATE EXTENSION IF NOT EXISTS "pgcrypto";
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE EXTENSION IF NOT EXISTS "vector";
\connect template1
CREATE EXTENSION IF NOT EXISTS "pgcrypto";
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE EXTENSION IF NOT EXISTS "vector";
\if :apart
ALTER ROLE postgres PASSWORD NULL;
\endif
