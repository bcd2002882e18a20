-- A full name alone is parted: "Last, First" at the comma, else before the last word. The company's name goes its own way.
SELECT *, company_name AS name_text,
    coalesce(first_name, CASE WHEN last_name IS NOT NULL THEN NULL
        WHEN contains(name, ',') THEN trim(split_part(name, ',', 2))
        ELSE nullif(regexp_extract(name, '^(.*\S)\s+\S+$', 1), '') END) AS first_part,
    coalesce(last_name, CASE WHEN first_name IS NOT NULL THEN NULL
        WHEN contains(name, ',') THEN trim(split_part(name, ',', 1))
        ELSE regexp_extract(name, '(\S+)$', 1) END) AS last_part
FROM _in
