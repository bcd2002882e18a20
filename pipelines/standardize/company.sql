-- standard.account and standard.company: one row per live account or reference company. _in holds the transliterated
-- inputs, _domain maps hosts to registrable domains, _other_name has the keys of a company's other names; _place, _street
-- and _street_name have its address cleaned.
WITH named AS (
    SELECT *, dialled(phone) AS dialled_phone FROM ({names})
)
SELECT n.key AS {key},
    n._input_hash,
    n.name_raw,
    n.name_clean,
    n.core AS name_core,
    array_to_string(list_sort(n.words), ' ') AS name_key,
    n.words AS name_tokens,
    list_sort(list_distinct(regexp_extract_all(n.core, '\d+'))) AS name_numbers,
    -- BBC keeps the C of its legal form.
    coalesce(initials(n.telling), CASE WHEN ends_with(n.name_clean, ' corporation') OR ends_with(n.name_clean, ' company') THEN initials(telling_words(n.name_clean)) END) AS acronym,
    coalesce(o.names, []) AS other_names,
    d.registrable AS domain,
    s.domain IS NOT NULL AS domain_is_shared,
    n.email_clean,
    to_phone(n.dialled_phone, p.dialling, p.trunk) AS phone,
    t.street_number,
    tn.street_name,
    t.street_unit,
    l.city_part AS city_clean,
    l.state_part AS state_clean,
    clean_postal_code(n.postal_code, l.country_code) AS postal_code_clean,
    l.country_code,
    coalesce(try_cast(n.is_person AS BOOLEAN), false) AS is_person,
    n.parent_key AS parent_id,
    n.stored_reference_id,
    try_cast(n.size AS BIGINT) AS employees
FROM named n
LEFT JOIN _other_name o ON o.key = n.key
LEFT JOIN _domain d ON d.host = n.host
LEFT JOIN _shared_domain s ON s.domain = d.registrable
LEFT JOIN _place l ON l.country IS NOT DISTINCT FROM n.country AND l.state IS NOT DISTINCT FROM n.state AND l.city IS NOT DISTINCT FROM n.city
LEFT JOIN _street t ON t.street = n.street
LEFT JOIN _street_name tn ON tn.street_part = t.street_part
LEFT JOIN _dialling p ON p.code = l.country_code
