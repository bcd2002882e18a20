-- standard.contact, standard.lead and standard.person: one row per live record or reference person. The tables joined
-- have their values cleaned, once per value (places.sql, streets.sql, street_names.sql, person_parts.sql).
WITH parted AS (
    SELECT n.*, f.clean AS first_clean, f.canonical, l.clean AS last_clean, nullif(concat_ws(' ', f.clean, l.clean), '') AS whole,
        dialled(n.phone) AS dialled_phone, dialled(n.mobile) AS dialled_mobile
    FROM ({names}) n
    LEFT JOIN _name_part f ON f.part = n.first_part
    LEFT JOIN _name_part l ON l.part = n.last_part
), told AS (
    SELECT * REPLACE (telling_words(whole) AS telling) FROM parted
), in_words AS (
    SELECT *, or_all_words(telling, whole) AS name_tokens FROM told
)
SELECT n.key AS {key},
    n._input_hash,
    n.name_raw,
    n.first_clean AS first_name_clean,
    n.last_clean AS last_name_clean,
    n.canonical AS first_name_canonical,
    list_sort(each_once(n.name_tokens)) AS name_tokens,
    b.clean AS birthdate,
    n.email_clean,
    e.registrable AS email_domain,
    coalesce(es.kind = 'free_mail', false) AS email_is_free,
    to_phone(n.dialled_phone, p.dialling, p.trunk) AS phone,
    to_phone(n.dialled_mobile, p.dialling, p.trunk) AS mobile,
    t.street_number,
    tn.street_name,
    t.street_unit,
    l.city_part AS city_clean,
    l.state_part AS state_clean,
    clean_postal_code(n.postal_code, l.country_code) AS postal_code_clean,
    l.country_code,
    i.clean AS title_clean,
    n.name_clean AS company_name_clean,
    n.core AS company_name_core,
    array_to_string(list_sort(n.words), ' ') AS company_name_key,
    n.words AS company_name_tokens,
    coalesce(CASE WHEN ds.domain IS NULL THEN d.registrable END, CASE WHEN es.domain IS NULL THEN e.registrable END) AS company_domain,
    n.parent_key AS {parent},
    n.stored_reference_id
FROM in_words n
LEFT JOIN _birthdate b ON b.birthdate = n.birthdate
LEFT JOIN _title i ON i.title = n.title
LEFT JOIN _domain e ON e.host = split_part(n.email_clean, '@', 2)
LEFT JOIN _shared_domain es ON es.domain = e.registrable
LEFT JOIN _domain d ON d.host = n.host
LEFT JOIN _shared_domain ds ON ds.domain = d.registrable
LEFT JOIN _place l ON l.country IS NOT DISTINCT FROM n.country AND l.state IS NOT DISTINCT FROM n.state AND l.city IS NOT DISTINCT FROM n.city
LEFT JOIN _street t ON t.street = n.street
LEFT JOIN _street_name tn ON tn.street_part = t.street_part
LEFT JOIN _dialling p ON p.code = l.country_code
