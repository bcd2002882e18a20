-- reference/person.csv: formal names, the present employer, and gaps of its own.
SELECT person_id(p.ri) AS person_id,
    company_id(c.r) AS company_id,
    maybe_typo(CASE WHEN native THEN p.first_name ELSE p.first_latin END, -1 - p.v, 'ref.first', 0.012)
        || CASE WHEN chance(p.v, 'ref.middle') < 0.1 AND NOT native THEN ' ' || p.middle || pick(['.', ''], p.v, 'ref.dot') ELSE '' END AS first_name,
    maybe_typo(CASE WHEN native THEN p.last_name ELSE p.last_latin END, -1 - p.v, 'ref.last', 0.012) AS last_name,
    CASE WHEN chance(p.v, 'ref.birth') < 0.4 THEN p.birthdate END AS birthdate,
    CASE WHEN chance(p.v, 'ref.mail') < 0.5 THEN local_part(c.mail_style, p.first_slug, p.last_slug) || '@' || c.domain
        WHEN chance(p.v, 'ref.mail') < 0.68 THEN p.home_mail END AS email,
    CASE WHEN chance(p.v, 'ref.phone') < 0.35 AND c.w IS NOT NULL THEN phone(c.dial, c.trunk, c.area, c.line, chance(p.v, 'ref.phone.style'))
        WHEN chance(p.v, 'ref.phone') < 0.55 THEN phone(p.dial, p.trunk, p.area, p.home_line, chance(p.v, 'ref.phone.style')) END AS phone,
    CASE WHEN chance(p.v, 'ref.mobile') < 0.45 THEN phone(p.dial, p.trunk, p.mobile_area, p.mobile_line, chance(p.v, 'ref.mobile.style')) END AS mobile,
    CASE WHEN c.w IS NOT NULL AND chance(p.v, 'ref.title') < 0.7 THEN getvariable('title')[p.title_i] END AS title,
    CASE where_at WHEN 'home' THEN address(getvariable('street_extra')[p.street_i], getvariable('street_latin')[p.street_i], p.house)
        WHEN 'work' THEN address(getvariable('street_extra')[c.street_i], getvariable('street_latin')[c.street_i], c.house) END AS street,
    CASE where_at WHEN 'home' THEN l.city_latin WHEN 'work' THEN c.city_latin END AS city,
    CASE where_at WHEN 'home' THEN l.state_latin WHEN 'work' THEN c.state_latin END AS state,
    CASE where_at WHEN 'home' THEN l.postal_code WHEN 'work' THEN c.postal_code END AS postal_code,
    CASE where_at WHEN 'home' THEN y.country_name WHEN 'work' THEN c.country_name END AS country
FROM (SELECT *, chance(v, 'ref.native') < CASE WHEN is_script THEN 0.3 ELSE 0.85 END AS native,
        CASE WHEN ref_w IS NULL OR chance(v, 'ref.where') < 0.5 THEN 'home' WHEN chance(v, 'ref.where') < 0.85 THEN 'work' END AS where_at
    FROM person WHERE ri IS NOT NULL) AS p
JOIN place AS l USING (place) JOIN country AS y ON y.country = l.country LEFT JOIN company AS c ON c.w = p.ref_w
