-- standard.contact, standard.lead and standard.person: one row per live record or reference person.
WITH parted AS (
    -- A full name alone is parted: "Last, First" at the comma, else before the last word.
    SELECT *,
        coalesce(first_name, CASE WHEN last_name IS NOT NULL THEN NULL
            WHEN contains(name, ',') THEN trim(split_part(name, ',', 2))
            ELSE nullif(regexp_extract(name, '^(.*\S)\s+\S+$', 1), '') END) AS first_part,
        coalesce(last_name, CASE WHEN first_name IS NOT NULL THEN NULL
            WHEN contains(name, ',') THEN trim(split_part(name, ',', 1))
            ELSE regexp_extract(name, '(\S+)$', 1) END) AS last_part
    FROM _in
), cleaned AS (
    SELECT i.*,
        coalesce(c.code, CASE WHEN upper(i.country) IN (SELECT code FROM _dialling) THEN upper(i.country) END) AS country_code,
        clean_person(i.first_part) AS first_clean,
        clean_person(i.last_part) AS last_clean,
        nullif(known(clean_text(i.company_name)), 'na') AS company_clean,
        clean_email(i.email) AS email_clean,
        street_line(i.street) AS line
    FROM parted i LEFT JOIN _country c ON c.name = clean_text(i.country)
), named AS (
    SELECT *, name_core(company_clean) AS company_core, split_part(email_clean, '@', 2) AS email_host FROM cleaned
)
SELECT n.key AS {key},
    n._input_hash,
    n.name_raw,
    n.first_clean AS first_name_clean,
    n.last_clean AS last_name_clean,
    coalesce(k.canonical, CASE WHEN n.first_clean IS NOT NULL THEN [split_part(n.first_clean, ' ', 1)] END) AS first_name_canonical,
    list_sort(name_words(squeeze(concat_ws(' ', n.first_clean, n.last_clean)))) AS name_tokens,
    n.birthdate_clean AS birthdate,
    n.email_clean,
    e.registrable AS email_domain,
    coalesce(es.kind = 'free_mail', false) AS email_is_free,
    to_phone(dialled(n.phone), p.dialling, p.trunk) AS phone,
    to_phone(dialled(n.mobile), p.dialling, p.trunk) AS mobile,
    street_number(n.line) AS street_number,
    street_name(n.line) AS street_name,
    street_unit(n.street) AS street_unit,
    clean_city(n.city) AS city_clean,
    clean_text(n.state) AS state_clean,
    clean_postal_code(n.postal_code, n.country_code) AS postal_code_clean,
    n.country_code,
    clean_text(n.title) AS title_clean,
    n.company_clean AS company_name_clean,
    n.company_core AS company_name_core,
    name_key(n.company_core) AS company_name_key,
    name_words(n.company_core) AS company_name_tokens,
    coalesce(CASE WHEN ds.domain IS NULL THEN d.registrable END, CASE WHEN es.domain IS NULL THEN e.registrable END) AS company_domain,
    n.parent_key AS {parent},
    n.stored_reference_id
FROM (SELECT *, nullif(clean_birthdate(birthdate), '19000101') AS birthdate_clean FROM named) n
LEFT JOIN _nickname k ON k.name = split_part(n.first_clean, ' ', 1)
LEFT JOIN _domain e ON e.host = n.email_host
LEFT JOIN _shared_domain es ON es.domain = e.registrable
LEFT JOIN _domain d ON d.host = web_host(n.website_raw)
LEFT JOIN _shared_domain ds ON ds.domain = d.registrable
LEFT JOIN _dialling p ON p.code = n.country_code
