-- standard.contact, standard.lead and standard.person: one row per live record or reference person.
WITH cleaned AS (
    SELECT *, known(clean_person(first_part)) AS first_clean, known(clean_person(last_part)) AS last_clean,
        clean_email(email) AS email_clean, nullif(clean_birthdate(birthdate), '19000101') AS birthdate_clean
    FROM ({names})
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
    coalesce(n.block, street_number(n.line)) AS street_number,
    n.street_part AS street_name,
    street_unit(n.street) AS street_unit,
    n.city_part AS city_clean,
    n.state_part AS state_clean,
    clean_postal_code(n.postal_code, n.country_code) AS postal_code_clean,
    n.country_code,
    clean_text(n.title) AS title_clean,
    n.name_clean AS company_name_clean,
    n.core AS company_name_core,
    array_to_string(list_sort(n.words), ' ') AS company_name_key,
    n.words AS company_name_tokens,
    coalesce(CASE WHEN ds.domain IS NULL THEN d.registrable END, CASE WHEN es.domain IS NULL THEN e.registrable END) AS company_domain,
    n.parent_key AS {parent},
    n.stored_reference_id
FROM cleaned n
LEFT JOIN _nickname k ON k.name = split_part(n.first_clean, ' ', 1)
LEFT JOIN _domain e ON e.host = split_part(n.email_clean, '@', 2)
LEFT JOIN _shared_domain es ON es.domain = e.registrable
LEFT JOIN _domain d ON d.host = web_host(n.website_raw)
LEFT JOIN _shared_domain ds ON ds.domain = d.registrable
LEFT JOIN _dialling p ON p.code = n.country_code
