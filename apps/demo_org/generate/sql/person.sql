-- The world of people, one row per v: those with contacts, those with person accounts, those with leads, then those
-- only the reference knows. ri is the row in the reference (null: not in it); w the employer the CRM knows,
-- ref_w the one the reference knows (another after a change of job).
CREATE TABLE person_seat AS
WITH numbered AS (
    SELECT v, v - number('contact_primaries') AS b, v - number('contact_primaries') - number('person_contacts') AS l,
        v - number('contact_primaries') - number('person_contacts') - number('lead_primaries') AS d
    FROM range(number('contact_primaries') + number('person_contacts') + number('lead_primaries') + number('people')
        - number('known_contacts') - number('known_persons') - number('known_leads')) AS t(v)
), known AS (
    SELECT *, CASE
        WHEN b < 0 THEN CASE WHEN v < number('known_contacts') THEN v END
        WHEN l < 0 THEN CASE WHEN b < number('known_persons') THEN number('known_contacts') + b END
        WHEN d < 0 THEN CASE WHEN l < number('known_leads') THEN number('known_contacts') + number('known_persons') + l END
        ELSE number('known_contacts') + number('known_persons') + number('known_leads') + d END AS ri
    FROM numbered
), ranked AS (
    SELECT *, CASE
        WHEN b < 0 OR l < 0 THEN NULL
        WHEN d >= 0 THEN below(v, 'employer', number('companies'))
        WHEN chance(v, 'employer.kind') < 0.5 THEN CASE WHEN p < number('matched') THEN p ELSE number('companies') + p - number('matched') END
        WHEN chance(v, 'employer.kind') < 0.85 THEN number('matched') + below(v, 'employer.known', number('companies') - number('matched'))
        ELSE number('world') - 1 - below(v, 'employer.new', number('lead_only')) END AS r
    FROM (SELECT *, below(v, 'employer.account', number('account_primaries')) AS p FROM known)
)
SELECT s.v, s.ri, CASE WHEN s.b < 0 THEN a.w ELSE rank_w(s.r) END AS w,
    CASE WHEN s.b < 0 AND chance(s.v, 'job') < 0.09 THEN rank_w(below(s.v, 'job.new', number('companies')))
        WHEN s.b < 0 THEN a.w ELSE rank_w(s.r) END AS ref_w
FROM ranked AS s LEFT JOIN (SELECT v, account_k FROM contact_slot WHERE kind = 'primary') AS c ON c.v = s.v
LEFT JOIN account_slot AS a ON a.k = c.account_k;

CREATE TABLE person AS
WITH placed AS (
    SELECT s.*, c.domain, c.mail_style, c.head_latin, CASE WHEN c.w IS NULL OR chance(v, 'elsewhere') < 0.08 THEN below(v, 'place', number('places'))
        ELSE c.city_at + below(v, 'place', c.city_n) END::INT AS place
    FROM person_seat AS s LEFT JOIN company AS c ON c.w = s.w
), cultured AS (
    SELECT p.*, l.country, l.area, l.digits, y.mail_hosts, y.dial, y.trunk, f.male_at, f.male_n, f.female_at, f.female_n,
        f.family_at, f.family_n, f.culture, k.street_at, k.street_n, chance(v, 'gender') < 0.5 AS is_female
    FROM placed AS p JOIN place AS l USING (place) JOIN country AS y ON y.country = l.country
    JOIN culture AS k ON k.culture = y.culture
    JOIN place AS o ON o.place = CASE WHEN chance(v, 'migrant') < 0.12 THEN below(v, 'origin', number('places')) ELSE p.place END
    JOIN country AS oy ON oy.country = o.country JOIN culture AS f ON f.culture = oy.culture
), drawn AS (
    SELECT *, CASE WHEN is_female THEN stretch(female_at, female_n, v, 'given') ELSE stretch(male_at, male_n, v, 'given') END AS given_i,
        stretch(family_at, family_n, v, 'family') AS family_i
    FROM cultured
), named AS (
    SELECT *, getvariable('given_native')[given_i] AS first_name, getvariable('given_latin')[given_i] AS first_latin,
        getvariable('given_extra')[given_i] AS nicknames, getvariable('family_native')[family_i] AS last_name,
        getvariable('family_latin')[family_i] AS last_latin
    FROM drawn
)
SELECT v, ri, w, ref_w, place, culture, is_female, first_name, first_latin, nicknames, last_name, last_latin,
    culture IN ('gr', 'cy', 'jp', 'cn', 'kr', 'ar') AS is_script,
    chr(65 + below(v, 'middle', 26)::INT) AS middle,
    make_date(1946 + below(v, 'birth.year', 58)::INT, 1 + below(v, 'birth.month', 12)::INT, 1 + below(v, 'birth.day', 28)::INT) AS birthdate,
    pick(['', '.', '', '_'], v, 'mail.join') AS joint,
    slug(first_latin) AS first_slug, slug(last_latin) AS last_slug,
    local_part(below(v, 'mail.home', 5), slug(first_latin), slug(last_latin))
        || CASE WHEN chance(v, 'mail.number') < 0.75 THEN below(v, 'mail.digits', 1900)::VARCHAR ELSE '' END || '@' || common(mail_hosts, v, 'mail.host') AS home_mail,
    local_part(mail_style, slug(first_latin), slug(last_latin)) || '@' || domain AS work_mail,
    dial, trunk, area, line_digits(v, 'mobile', CASE WHEN dial = '1' THEN 7 ELSE 8 END) AS mobile_line,
    CASE WHEN dial = '1' THEN area WHEN dial = '44' THEN '77' WHEN dial = '49' THEN '17' WHEN dial = '33' THEN '6' ELSE '9' END AS mobile_area,
    line_digits(v, 'home', digits) AS home_line,
    1 + floor(len(getvariable('title')) * chance(v, 'title') ** 1.4)::INT AS title_i,
    evenly(street_at, street_n, v, 'street') AS street_i, 1 + below(v, 'house', 240) AS house
FROM named;
DROP TABLE person_seat;
