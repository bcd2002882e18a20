-- A full name alone is parted: "Last, First" at the comma, else before the last word and the particles that belong to it.
-- What only says rank or generation is no part. The company's name goes its own way.
WITH whole AS (
    SELECT *, CASE WHEN first_name IS NULL AND last_name IS NULL THEN regexp_replace(name, '(?i)(?:[\s,]+(?:{name_suffixes})\.?)+\s*$', '') END AS full_name
    FROM _in
)
SELECT *, company_name AS name_text,
    coalesce(first_name, CASE WHEN contains(full_name, ',') THEN trim(split_part(full_name, ',', 2))
        ELSE nullif(regexp_extract(full_name, '(?i)^(.*?\S)\s+(?:(?:{particles})\s+)*\S+$', 1), '') END) AS first_part,
    coalesce(last_name, CASE WHEN contains(full_name, ',') THEN trim(split_part(full_name, ',', 1))
        ELSE regexp_extract(full_name, '(?i)(?:^|\s)((?:(?:{particles})\s+)*\S+)$', 1) END) AS last_part
FROM whole
