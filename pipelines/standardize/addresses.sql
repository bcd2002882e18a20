-- An address, cleaned step by step: each step is given a column (see macros.sql). {rows} is passed through; it has the
-- fields of INPUTS in ASCII. Adds country_code, state_part, line, block, street_part and city_part.
WITH located AS (
    SELECT r.*,
        coalesce(c.code, CASE WHEN upper(r.country) IN (SELECT code FROM _dialling) THEN upper(r.country) END) AS country_code,
        lower(r.street) AS line,
        clean_text(r.state) AS state_part,
        clean_city(r.city) AS city_part
    FROM ({rows}) r LEFT JOIN _country c ON c.name = clean_text(r.country)
), in_state AS (
    SELECT a.* REPLACE (coalesce(s.state, known(a.state_part)) AS state_part)
    FROM located a LEFT JOIN _state s ON s.name = a.state_part AND s.country_code = coalesce(a.country_code, '')
), boxed AS (
    SELECT * REPLACE (CASE WHEN has_other_form(line) THEN plain_number(short_types(post_box(line))) ELSE line END AS line) FROM in_state
), blocks AS (
    SELECT *, has_block(line) AS has_block FROM boxed
), dashed AS (
    SELECT * REPLACE (CASE WHEN has_block THEN dashed_block(line) ELSE line END AS line) FROM blocks
), in_block AS (
    SELECT * REPLACE (CASE WHEN has_block THEN without_block(line) ELSE line END AS line),
        CASE WHEN has_block THEN block_number(line) END AS block
    FROM dashed
), in_lines AS (
    SELECT * REPLACE (street_lines(line) AS line) FROM in_block
), one_part AS (
    SELECT * REPLACE (street_commas(line) AS line) FROM in_lines
), cleaned AS (
    SELECT * REPLACE (street_line(line) AS line, known(city_part) AS city_part) FROM one_part
), given AS (
    SELECT a.* REPLACE (known(a.line) AS line, coalesce(y.city, a.city_part) AS city_part)
    FROM cleaned a LEFT JOIN _city y ON y.name = a.city_part
), bare AS (
    SELECT *, without_compound(without_number(line)) AS street_part FROM given
), plain AS (
    SELECT * REPLACE (plain_ordinals(street_part) AS street_part) FROM bare
), named AS (
    SELECT * REPLACE (street_name_of(street_part) AS street_part) FROM plain
)
SELECT * EXCLUDE (has_block) REPLACE (CASE WHEN regexp_matches(street_part, '\b[a-z] [a-z]\b') THEN close_initials(street_part) ELSE street_part END AS street_part)
FROM named
