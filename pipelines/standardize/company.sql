-- standard.account and standard.company: one row per live account or reference company.
-- _domain_* tables map raw hosts to registrable domains; _in holds the transliterated inputs.
WITH cleaned AS (
    SELECT i.*,
        coalesce(c.code, CASE WHEN upper(i.country) IN (SELECT code FROM _dialling) THEN upper(i.country) END) AS country_code,
        known(clean_text(coalesce(i.name, concat_ws(' ', i.first_name, i.last_name)))) AS name_known,
        street_line(i.street) AS line
    FROM _in i LEFT JOIN _country c ON c.name = clean_text(i.country)
), named AS (
    SELECT *, nullif(name_known, 'na') AS name_clean, name_core(nullif(name_known, 'na')) AS core FROM cleaned
)
SELECT n.key AS {key},
    n._input_hash,
    n.name_raw,
    n.name_clean,
    n.core AS name_core,
    name_key(n.core) AS name_key,
    name_words(n.core) AS name_tokens,
    list_sort(list_distinct(regexp_extract_all(n.core, '\d+'))) AS name_numbers,
    initials(n.core) AS acronym,
    d.registrable AS domain,
    s.domain IS NOT NULL AS domain_is_shared,
    clean_email(n.email) AS email_clean,
    to_phone(dialled(n.phone), p.dialling, p.trunk) AS phone,
    street_number(n.line) AS street_number,
    street_name(n.line) AS street_name,
    street_unit(n.street) AS street_unit,
    clean_city(n.city) AS city_clean,
    clean_text(n.state) AS state_clean,
    clean_postal_code(n.postal_code, n.country_code) AS postal_code_clean,
    n.country_code,
    n.parent_key AS parent_id,
    n.stored_reference_id,
    try_cast(n.size AS BIGINT) AS employees
FROM named n
LEFT JOIN _domain d ON d.host = web_host(n.website_raw)
LEFT JOIN _shared_domain s ON s.domain = d.registrable
LEFT JOIN _dialling p ON p.code = n.country_code
