-- products --
SELECT products.id, products.slug, crops.name, farms.name AS farm, farms.slug AS farm_slug,
       category, unit, price_cents, stock, description, motif, tint,
       group_concat(season) AS seasons
FROM products
JOIN crops ON crops.id = products.crop_id
JOIN farms ON farms.id = products.farm_id
JOIN crop_seasons ON crop_seasons.crop_id = crops.id
WHERE (:text = '' OR instr(lower(crops.name || ' ' || farms.name), lower(:text)) > 0)
  AND (:category = '' OR category = :category)
  AND (:farm_slug = '' OR farms.slug = :farm_slug)
GROUP BY products.id
HAVING :season = '' OR sum(season = :season) > 0
ORDER BY crops.name, farms.id
LIMIT :most

-- product_by_slug --
SELECT products.id, products.slug, crops.name, farms.name AS farm, farms.slug AS farm_slug,
       category, unit, price_cents, stock, description, motif, tint,
       group_concat(season) AS seasons
FROM products
JOIN crops ON crops.id = products.crop_id
JOIN farms ON farms.id = products.farm_id
JOIN crop_seasons ON crop_seasons.crop_id = crops.id
WHERE products.slug = :slug
GROUP BY products.id

-- product_by_id --
SELECT products.id, products.slug, crops.name, farms.name AS farm, farms.slug AS farm_slug,
       category, unit, price_cents, stock, description, motif, tint,
       group_concat(season) AS seasons
FROM products
JOIN crops ON crops.id = products.crop_id
JOIN farms ON farms.id = products.farm_id
JOIN crop_seasons ON crop_seasons.crop_id = crops.id
WHERE products.id = :id
GROUP BY products.id
