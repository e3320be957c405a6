-- insert_account --
INSERT INTO accounts (name, email, password_hash, created_at)
VALUES (:name, :email, :password_hash, :created_at)
ON CONFLICT (email) DO NOTHING

-- account_by_id --
SELECT id, name, email, password_hash FROM accounts WHERE id = :id

-- account_by_email --
SELECT id, name, email, password_hash FROM accounts WHERE email = :email

-- account_totals --
SELECT
    (SELECT count(*) FROM orders WHERE account_id = :id AND status = 'placed') AS orders,
    (SELECT count(*) FROM farms WHERE owner_id = :id) AS farms,
    (
        SELECT coalesce(sum(delivery_cents + (
            SELECT sum(price_cents * quantity) FROM order_lines WHERE order_id = orders.id
        )), 0)
        FROM orders WHERE account_id = :id AND status = 'placed'
    ) AS spent_cents
