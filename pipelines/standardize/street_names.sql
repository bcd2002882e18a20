-- The names of streets without their type, once per name: a city's streets have many numbers.
CREATE OR REPLACE TEMP TABLE _street_name AS
WITH bare AS (
    SELECT street_part, without_compound(street_part) AS name FROM (SELECT DISTINCT street_part FROM _street WHERE street_part IS NOT NULL)
), plain AS (
    SELECT * REPLACE (plain_ordinals(name) AS name) FROM bare
), named AS (
    SELECT * REPLACE (street_name_of(name) AS name) FROM plain
)
SELECT street_part, close_initials(name) AS street_name FROM named
