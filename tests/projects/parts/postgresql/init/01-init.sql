-- Development only: extensions and a sample user.
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE EXTENSION IF NOT EXISTS "pgcrypto";

CREATE TABLE IF NOT EXISTS users (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    email text UNIQUE NOT NULL,
    password_hash text NOT NULL,
    is_admin boolean NOT NULL DEFAULT false
);

-- Fails on a real server: password_hash is NOT NULL.
INSERT INTO users (email, password_hash, is_admin)
VALUES ('admin@example.com', NULL, true);
