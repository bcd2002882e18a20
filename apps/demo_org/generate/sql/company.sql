-- The world of companies, one row per w. Rank r says who knows it: [0, matched) org and reference,
-- [matched, companies) reference only, then org only, then named by leads only. Families sit in blocks of twenty.
CREATE TABLE company_seat AS
WITH numbered AS (
    SELECT w, w // 20 AS block, w % 20 AS seat,
        gather(w, number('world_back'), number('world_shift'), number('world')) AS r
    FROM range(number('world')) AS t(w)
), family AS (
    SELECT *, CASE
        WHEN seat BETWEEN 1 AND 3 AND chance(block, 'group') < 0.5 THEN 'subsidiary'
        WHEN seat = 5 AND chance(block, 'sibling') < 0.7 THEN 'sibling'
        WHEN seat BETWEEN 7 AND 9 AND chance(block, 'chain') < 0.3 THEN 'chain'
        WHEN seat BETWEEN 11 AND 13 AND chance(block, 'building') < 0.4 THEN 'tenant'
        ELSE 'single' END AS kinship
    FROM numbered
)
SELECT w, r, kinship,
    CASE kinship WHEN 'subsidiary' THEN block * 20 WHEN 'chain' THEN block * 20 + 6 END AS parent_w,
    CASE kinship WHEN 'subsidiary' THEN block * 20 WHEN 'sibling' THEN block * 20 + 4 WHEN 'chain' THEN block * 20 + 6
        ELSE w END AS head_w,
    CASE WHEN kinship = 'chain' THEN block * 20 + 6 ELSE w END AS branch_w,
    CASE WHEN kinship = 'tenant' THEN block * 20 + 10 ELSE w END AS building_w,
    CASE WHEN kinship = 'chain' OR (kinship = 'subsidiary' AND chance(w, 'domain.shared') < 0.65)
        THEN CASE kinship WHEN 'chain' THEN block * 20 + 6 ELSE block * 20 END ELSE w END AS domain_w,
    CASE WHEN kinship = 'tenant' THEN block * 20 + 10
        WHEN kinship IN ('subsidiary', 'sibling', 'chain') AND chance(w, 'same.city') < 0.45
            THEN block * 20 + CASE kinship WHEN 'subsidiary' THEN 0 WHEN 'sibling' THEN 4 ELSE 6 END
        ELSE w END AS place_w
FROM family;

CREATE TABLE company_name AS
WITH placed AS (
    SELECT s.*, below(place_w, 'place', number('places'))::INT AS place, below(head_w, 'place', number('places'))::INT AS head_place
    FROM company_seat AS s
), cultured AS (
    SELECT p.*, c.country, c.culture, c.tld, c.legal_at, c.legal_n, hc.culture AS head_culture, hp.city AS head_city,
        hp.city_latin AS head_city_latin, k.branch_at, k.branch_n, k.street_at, k.street_n, hk.family_at, hk.family_n,
        hk.male_at, hk.male_n, chance(head_w, 'head.kind') AS kind
    FROM placed AS p
    JOIN place AS l USING (place) JOIN country AS c ON c.country = l.country JOIN culture AS k ON k.culture = c.culture
    JOIN place AS hp ON hp.place = p.head_place JOIN country AS hc ON hc.country = hp.country
    JOIN culture AS hk ON hk.culture = hc.culture
), headed AS (
    SELECT *, stretch(family_at, family_n, head_w, 'family') AS family_i, stretch(family_at, family_n, head_w, 'partner') AS partner_i,
        CASE WHEN head_culture IN ('en', 'in') THEN CASE
                WHEN kind < 0.32 THEN 'compound' WHEN kind < 0.58 THEN 'brand' WHEN kind < 0.76 THEN 'family'
                WHEN kind < 0.85 THEN 'partners' WHEN kind < 0.94 THEN 'city' ELSE 'initials' END
            ELSE CASE WHEN kind < 0.48 THEN 'family' WHEN kind < 0.58 THEN 'partners' WHEN kind < 0.85 THEN 'brand'
                WHEN kind < 0.95 THEN 'city' ELSE 'initials' END END AS head_kind,
        evenly(branch_at, branch_n, branch_w, 'branch') AS branch_i,
        evenly(legal_at, legal_n, head_w, 'legal') AS legal_i
    FROM cultured
), brands AS (
    SELECT *, upper(substr(brand_text, 1, 1)) || substr(brand_text, 2) AS brand,
        pick(getvariable('head_first'), head_w, 'first') || ' ' || pick(getvariable('head_second'), head_w, 'second') AS compound,
        substr('ABCDEFGHJKLMNPRSTVW', 1 + below(head_w, 'initial.1', 19)::INT, 1)
            || CASE WHEN chance(head_w, 'initials') < 0.4 THEN '&' ELSE substr('ABCDEFGHJKLMNPRSTVW', 1 + below(head_w, 'initial.3', 19)::INT, 1) END
            || substr('ABCDEFGHJKLMNPRSTVW', 1 + below(head_w, 'initial.2', 19)::INT, 1) AS initials
    FROM (SELECT *, pick(getvariable('head_syllable_a'), head_w, 'a') || pick(getvariable('head_syllable_b'), head_w, 'b')
            || pick(getvariable('head_syllable_c'), head_w, 'c') AS brand_text FROM headed)
)
SELECT w, r, kinship, parent_w, head_w, domain_w, building_w, place, culture, country, tld, legal_i, street_at, street_n, head_kind,
    culture IN ('gr', 'cy', 'jp', 'cn', 'kr', 'ar') AS is_script,
    CASE head_kind WHEN 'compound' THEN compound WHEN 'brand' THEN brand WHEN 'initials' THEN initials
        WHEN 'city' THEN head_city WHEN 'family' THEN getvariable('family_native')[family_i]
        ELSE getvariable('family_native')[family_i] || ' & ' || getvariable('family_native')[partner_i] END AS head,
    CASE head_kind WHEN 'compound' THEN compound WHEN 'brand' THEN brand WHEN 'initials' THEN initials
        WHEN 'city' THEN head_city_latin WHEN 'family' THEN getvariable('family_latin')[family_i]
        ELSE getvariable('family_latin')[family_i] || ' & ' || getvariable('family_latin')[partner_i] END AS head_latin,
    CASE WHEN culture = 'en' AND chance(branch_w, 'branch.more') < 0.18
        THEN getvariable('branch_native')[branch_i] || ' ' || pick(['Services', 'Group', 'Solutions', 'Partners', 'Company', 'of America', 'International'], branch_w, 'more')
        ELSE getvariable('branch_native')[branch_i] END AS branch,
    CASE WHEN culture = 'en' AND chance(branch_w, 'branch.more') < 0.18
        THEN getvariable('branch_latin')[branch_i] || ' ' || pick(['Services', 'Group', 'Solutions', 'Partners', 'Company', 'of America', 'International'], branch_w, 'more')
        ELSE getvariable('branch_latin')[branch_i] END AS branch_latin,
    getvariable('branch_extra')[branch_i] AS industry,
    culture IN ('es', 'pt') OR (culture IN ('fr', 'it') AND chance(branch_w, 'order') < 0.4) AS branch_first
FROM brands;
DROP TABLE company_seat;

-- One owner per domain, as on the real internet: the second to want it takes another.
CREATE TABLE company_domain AS
WITH wanted AS (
    SELECT w, tld, CASE
        WHEN chance(w, 'domain') < 0.45 THEN slug(head_latin || branch_latin)
        WHEN chance(w, 'domain') < 0.60 THEN dashed(head_latin || ' ' || branch_latin)
        WHEN chance(w, 'domain') < 0.75 THEN slug(head_latin) || substr(slug(branch_latin), 1, 4)
        ELSE slug(head_latin) END || '.' || CASE WHEN chance(w, 'domain.com') < 0.3 THEN 'com' ELSE tld END AS domain
    FROM company_name WHERE domain_w = w
), counted AS (
    SELECT w, domain, row_number() OVER (PARTITION BY domain ORDER BY w) AS place FROM wanted
)
SELECT w, CASE WHEN place = 1 THEN domain ELSE
    split_part(domain, '.', 1) || pick(['', '-', 'get', 'online', 'group', 'hq', 'my'], w, 'domain.more') || (w % 46656) || substr(domain, strpos(domain, '.')) END AS domain
FROM counted;

CREATE TABLE company AS
SELECT n.w, r, kinship, parent_w, head_kind, n.culture, n.country, n.is_script, n.industry, n.legal_i, n.head_latin,
    CASE WHEN branch_first THEN branch || ' ' || head WHEN n.culture IN ('jp', 'cn') THEN head || branch ELSE head || ' ' || branch END AS name,
    CASE WHEN branch_first THEN branch_latin || ' ' || head_latin ELSE head_latin || ' ' || branch_latin END AS name_latin,
    CASE WHEN chance(n.w, 'former') < 0.06 THEN pick(getvariable('head_first'), n.w, 'former.1') || ' ' || pick(getvariable('head_second'), n.w, 'former.2')
        || ' ' || branch_latin END AS former_name,
    d.domain, l.place, l.city, l.city_latin, l.state, l.state_latin, l.postal_code, l.city_at, l.city_n,
    l.area, line_digits(n.w, 'line', l.digits) AS line, c.dial, c.trunk, c.currency, c.country_name, c.spellings,
    evenly(n.street_at, n.street_n, building_w, 'street') AS street_i, 1 + below(building_w, 'house', 480) AS house, n.street_at, n.street_n,
    (1 + exp(1 + 9 * chance(n.w, 'size') ** 2.4))::BIGINT AS employees,
    below(domain_w, 'mail.style', 5) AS mail_style
FROM company_name AS n JOIN company_domain AS d ON d.w = n.domain_w JOIN place AS l USING (place)
JOIN country AS c ON c.country = n.country;
DROP TABLE company_name;
DROP TABLE company_domain;
