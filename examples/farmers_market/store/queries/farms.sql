-- farms --
SELECT farms.*, count(products.id) AS product_count
FROM farms LEFT JOIN products ON products.farm_id = farms.id
WHERE :owner_id IS NULL OR owner_id = :owner_id
GROUP BY farms.id ORDER BY farms.id DESC LIMIT :most

-- farm_by_slug --
SELECT farms.*, count(products.id) AS product_count
FROM farms LEFT JOIN products ON products.farm_id = farms.id
WHERE farms.slug = :slug
GROUP BY farms.id

-- insert_farm --
INSERT INTO farms (owner_id, name, slug, place, story)
VALUES (:owner_id, :name, :slug, :place, :story)
ON CONFLICT DO NOTHING

-- insert_product --
INSERT INTO products (farm_id, crop_id, slug, price_cents, stock)
SELECT :farm_id, id, slug || '-' || :farm_slug, coalesce(:price_cents, usual_price_cents), :stock
FROM crops WHERE name = :crop

-- delete_farm --
DELETE FROM farms WHERE slug = :slug AND owner_id = :owner_id

-- crops --
SELECT crops.*, group_concat(season) AS seasons
FROM crops JOIN crop_seasons ON crop_id = crops.id
GROUP BY crops.id ORDER BY name

-- insert_crop --
INSERT INTO crops (name, slug, category, unit, usual_price_cents, motif, tint, description)
VALUES (:name, :slug, :category, :unit, :usual_price_cents, :motif, :tint, :description)

-- insert_crop_season --
INSERT INTO crop_seasons (crop_id, season) VALUES (:crop_id, :season)

-- count_farms --
SELECT count(*) AS farms FROM farms
