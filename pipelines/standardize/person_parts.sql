-- First and last names without titles and generation, once per name: few names, many people. {rows} has first_part and
-- last_part (person_inputs.sql). canonical is what a first name may be short for.
CREATE OR REPLACE TEMP TABLE _name_part AS
WITH bare AS (
    SELECT part, without_nickname(part) AS clean
    FROM (SELECT first_part AS part FROM ({rows}) UNION SELECT last_part FROM ({rows})) WHERE part IS NOT NULL
), cleaned AS (
    SELECT part, clean_text(clean) AS clean FROM bare
), untitled AS (
    SELECT part, without_titles(clean) AS clean FROM cleaned
), told AS (
    SELECT part, known(clean) AS clean FROM untitled
)
SELECT t.*, coalesce(k.canonical, CASE WHEN clean IS NOT NULL THEN [split_part(clean, ' ', 1)] END) AS canonical
FROM told t LEFT JOIN _nickname k ON k.name = split_part(clean, ' ', 1);
CREATE OR REPLACE TEMP TABLE _title AS
SELECT title, clean_text(title) AS clean FROM (SELECT DISTINCT title FROM _in WHERE title IS NOT NULL);
CREATE OR REPLACE TEMP TABLE _birthdate AS
SELECT birthdate, nullif(clean_birthdate(birthdate), '19000101') AS clean FROM (SELECT DISTINCT birthdate FROM _in WHERE birthdate IS NOT NULL)
