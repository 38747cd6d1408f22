-- Development only: similarity search; plain PostgreSQL images have no pgvector.
CREATE EXTENSION IF NOT EXISTS vector;

CREATE TABLE IF NOT EXISTS embeddings (
    id serial PRIMARY KEY,
    content text NOT NULL,
    embedding vector(1536)
);
