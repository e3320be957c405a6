CREATE TABLE IF NOT EXISTS accounts (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE COLLATE NOCASE,
    password_hash TEXT NOT NULL,
    created_at TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS crops (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    slug TEXT NOT NULL UNIQUE,
    category TEXT NOT NULL,
    unit TEXT NOT NULL,
    usual_price_cents INTEGER NOT NULL CHECK (usual_price_cents > 0),
    motif TEXT NOT NULL,
    tint TEXT NOT NULL,
    description TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS crop_seasons (
    crop_id INTEGER NOT NULL REFERENCES crops ON DELETE CASCADE,
    season TEXT NOT NULL CHECK (season IN ('winter', 'spring', 'summer', 'autumn')),
    PRIMARY KEY (crop_id, season)
);

CREATE TABLE IF NOT EXISTS farms (
    id INTEGER PRIMARY KEY,
    owner_id INTEGER REFERENCES accounts ON DELETE CASCADE,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    slug TEXT NOT NULL UNIQUE,
    place TEXT NOT NULL,
    story TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS products (
    id INTEGER PRIMARY KEY,
    farm_id INTEGER NOT NULL REFERENCES farms ON DELETE CASCADE,
    crop_id INTEGER NOT NULL REFERENCES crops,
    slug TEXT NOT NULL UNIQUE,
    price_cents INTEGER NOT NULL CHECK (price_cents > 0),
    stock INTEGER NOT NULL CHECK (stock >= 0),
    UNIQUE (farm_id, crop_id)
);

CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
    checkout_key TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL CHECK (status IN ('placed', 'cancelled')),
    placed_at TEXT NOT NULL,
    name TEXT NOT NULL,
    street TEXT NOT NULL,
    postcode TEXT NOT NULL,
    city TEXT NOT NULL,
    delivery_day TEXT NOT NULL,
    delivery_cents INTEGER NOT NULL,
    card_ending TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS order_lines (
    order_id INTEGER NOT NULL REFERENCES orders ON DELETE CASCADE,
    position INTEGER NOT NULL,
    product_id INTEGER REFERENCES products ON DELETE SET NULL,
    name TEXT NOT NULL,
    farm TEXT NOT NULL,
    unit TEXT NOT NULL,
    price_cents INTEGER NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (order_id, position)
);

CREATE INDEX IF NOT EXISTS orders_of_an_account ON orders (account_id, id);
CREATE INDEX IF NOT EXISTS products_of_a_crop ON products (crop_id);
