-- Streets, once per writing, step by step: each step is given a column (see macros.sql). line is the street with its
-- number, block a number of several parts, street_part the name of the street as it stands before _street_name.
CREATE OR REPLACE TEMP TABLE _street AS
WITH lowered AS (
    SELECT street, lower(street) AS line FROM (SELECT DISTINCT street FROM _in WHERE street IS NOT NULL)
), boxed AS (
    SELECT street, CASE WHEN has_other_form(line) THEN plain_number(short_types(post_box(line))) ELSE line END AS line FROM lowered
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
), without_parts AS (
    SELECT * REPLACE (without_unit(line) AS line) FROM one_part
), cleaned AS (
    SELECT * REPLACE (clean_text(line) AS line) FROM without_parts
), given AS (
    SELECT * REPLACE (known(line) AS line) FROM cleaned
), bare AS (
    SELECT *, without_number(line) AS street_part FROM given
)
SELECT street, street_part, coalesce(block, street_number(line)) AS street_number, CASE WHEN has_unit(lower(street)) THEN street_unit(street) END AS street_unit
FROM bare
