-- An address, cleaned step by step: each step is given a column (see macros.sql). {rows} is passed through; it has the
-- fields of INPUTS in ASCII. Adds country_code, line, street_part and city_part.
WITH located AS (
    SELECT r.*,
        coalesce(c.code, CASE WHEN upper(r.country) IN (SELECT code FROM _dialling) THEN upper(r.country) END) AS country_code,
        street_lines(lower(r.street)) AS line,
        clean_city(r.city) AS city_part
    FROM ({rows}) r LEFT JOIN _country c ON c.name = clean_text(r.country)
), one_part AS (
    SELECT * REPLACE (street_commas(line) AS line) FROM located
), cleaned AS (
    SELECT * REPLACE (street_line(line) AS line, known(city_part) AS city_part) FROM one_part
), given AS (
    SELECT a.* REPLACE (known(a.line) AS line, coalesce(y.city, a.city_part) AS city_part)
    FROM cleaned a LEFT JOIN _city y ON y.name = a.city_part
), bare AS (
    SELECT *, without_compound(without_number(line)) AS street_part FROM given
), plain AS (
    SELECT * REPLACE (plain_ordinals(street_part) AS street_part) FROM bare
)
SELECT * REPLACE (street_name_of(street_part) AS street_part) FROM plain
