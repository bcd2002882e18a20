-- standard.account and standard.company: one row per live account or reference company. _in holds the transliterated
-- inputs, _domain maps hosts to registrable domains, _other_name has the keys of a company's other names.
SELECT n.key AS {key},
    n._input_hash,
    n.name_raw,
    n.name_clean,
    n.core AS name_core,
    array_to_string(list_sort(n.words), ' ') AS name_key,
    n.words AS name_tokens,
    list_sort(list_distinct(regexp_extract_all(n.core, '\d+'))) AS name_numbers,
    -- BBC keeps the C of its legal form.
    coalesce(initials(n.core), CASE WHEN ends_with(n.name_clean, ' corporation') OR ends_with(n.name_clean, ' company') THEN initials(n.name_clean) END) AS acronym,
    coalesce(o.names, []) AS other_names,
    d.registrable AS domain,
    s.domain IS NOT NULL AS domain_is_shared,
    clean_email(n.email) AS email_clean,
    to_phone(dialled(n.phone), p.dialling, p.trunk) AS phone,
    coalesce(n.block, street_number(n.line)) AS street_number,
    n.street_part AS street_name,
    street_unit(n.street) AS street_unit,
    n.city_part AS city_clean,
    n.state_part AS state_clean,
    clean_postal_code(n.postal_code, n.country_code) AS postal_code_clean,
    n.country_code,
    coalesce(try_cast(n.is_person AS BOOLEAN), false) AS is_person,
    n.parent_key AS parent_id,
    n.stored_reference_id,
    try_cast(n.size AS BIGINT) AS employees
FROM ({names}) n
LEFT JOIN _other_name o ON o.key = n.key
LEFT JOIN _domain d ON d.host = web_host(n.website_raw)
LEFT JOIN _shared_domain s ON s.domain = d.registrable
LEFT JOIN _dialling p ON p.code = n.country_code
