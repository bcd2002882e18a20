-- reference/company.csv: tidier than the org, with its own gaps, spellings and errors.
SELECT company_id(c.r) AS company_id,
    maybe_typo(spelled_name, -c.w, 'ref.name', 0.015) AS name,
    CASE WHEN chance(c.w, 'ref.website') < 0.75 THEN pick(['www.', 'https://www.', 'http://www.', '', 'https://'], c.w, 'ref.scheme') || c.domain END AS website,
    CASE WHEN chance(c.w, 'ref.phone') < 0.72 THEN phone(c.dial, c.trunk, c.area, c.line, chance(c.w, 'ref.phone.style')) END AS phone,
    CASE WHEN chance(c.w, 'ref.street') < 0.9 THEN
        CASE WHEN chance(c.w, 'ref.shorter') < 0.3 THEN shorter(street_text) ELSE street_text END END AS street,
    CASE WHEN native THEN c.city ELSE c.city_latin END AS city,
    CASE WHEN native THEN c.state ELSE c.state_latin END AS state,
    CASE WHEN chance(c.w, 'ref.postal') < 0.93 THEN c.postal_code END AS postal_code,
    c.country_name AS country,
    company_id(parent.r) AS parent_id,
    CASE WHEN chance(c.w, 'ref.employees') < 0.6 THEN c.employees END AS employees,
    CASE WHEN chance(c.w, 'ref.revenue') < 0.5 THEN round(c.employees * 90000 * (0.4 + chance(c.w, 'revenue')), -3)::BIGINT END AS revenue,
    CASE WHEN chance(c.w, 'ref.industry') < 0.8 THEN c.industry END AS industry
FROM (
    SELECT *, address(getvariable('street_extra')[street_i],
            CASE WHEN native THEN getvariable('street_native')[street_i] ELSE getvariable('street_latin')[street_i] END, house) AS street_text,
        base || CASE WHEN chance(w, 'ref.legal') < 0.78 THEN ' ' || CASE WHEN chance(w, 'ref.legal.variant') < 0.15
                THEN spelled(getvariable('legal_native')[legal_i], getvariable('legal_extra')[legal_i], w, 'ref.legal.spelling')
                WHEN native THEN getvariable('legal_native')[legal_i] ELSE getvariable('legal_latin')[legal_i] END ELSE '' END
            || CASE WHEN kinship = 'chain' THEN ' - ' || city_latin ELSE '' END AS spelled_name
    FROM (SELECT *, CASE WHEN former_name IS NOT NULL AND chance(w, 'ref.former') < 0.3 THEN former_name
            WHEN native THEN name ELSE name_latin END AS base
        FROM (SELECT *, chance(w, 'ref.native') < CASE WHEN is_script THEN 0.35 ELSE 0.85 END AS native FROM company WHERE r < number('companies')))
) AS c LEFT JOIN (SELECT w, r FROM company) AS parent ON parent.w = c.parent_w AND parent.r < number('companies')
