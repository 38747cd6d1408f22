-- The first tables. Their extensions are created elsewhere (in development by init/).
CREATE TABLE items (
    id serial PRIMARY KEY,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE item_vectors (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    item_id integer NOT NULL REFERENCES items (id) ON DELETE CASCADE,
    token text NOT NULL DEFAULT encode(gen_random_bytes(8), 'hex'),
    embedding vector(3)
);
