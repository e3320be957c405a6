-- order_id_of_checkout --
SELECT id FROM orders WHERE checkout_key = :checkout_key AND account_id = :account_id

-- take_stock --
UPDATE products SET stock = stock - :quantity WHERE id = :product_id AND stock >= :quantity

-- insert_order --
INSERT INTO orders (
    account_id, checkout_key, status, placed_at, name, street, postcode, city,
    delivery_day, delivery_cents, card_ending
) VALUES (
    :account_id, :checkout_key, 'placed', :placed_at, :name, :street, :postcode, :city,
    :delivery_day, :delivery_cents, :card_ending
)

-- insert_order_line --
INSERT INTO order_lines (
    order_id, position, product_id, name, farm, unit, price_cents, quantity
) VALUES (
    :order_id, :position, :product_id, :name, :farm, :unit, :price_cents, :quantity
)

-- orders_of_account --
SELECT * FROM orders WHERE account_id = :account_id ORDER BY id DESC LIMIT :most

-- order_of_account --
SELECT * FROM orders WHERE account_id = :account_id AND id = :id

-- lines_of_order --
SELECT name, farm, unit, price_cents, quantity
FROM order_lines WHERE order_id = :order_id ORDER BY position

-- cancel_order --
UPDATE orders SET status = 'cancelled'
WHERE id = :id AND account_id = :account_id AND status = 'placed'

-- return_stock --
UPDATE products SET stock = stock + (
    SELECT sum(quantity) FROM order_lines
    WHERE order_id = :order_id AND product_id = products.id
)
WHERE id IN (SELECT product_id FROM order_lines WHERE order_id = :order_id)
