-- Where records are, once per place: few places, many records. country_code, state_part and city_part are it cleaned.
CREATE OR REPLACE TEMP TABLE _place AS
WITH place AS (
    SELECT country, state, city, clean_text(country) AS country_part, clean_text(state) AS state_part, clean_text(city) AS city_part
    FROM (SELECT DISTINCT country, state, city FROM _in)
), located AS (
    SELECT p.* REPLACE (clean_city(p.city_part) AS city_part),
        coalesce(c.code, CASE WHEN upper(p.country) IN (SELECT code FROM _dialling) THEN upper(p.country) END) AS country_code
    FROM place p LEFT JOIN _country c ON c.name = p.country_part
), known_city AS (
    SELECT * REPLACE (known(city_part) AS city_part) FROM located
)
SELECT p.country, p.state, p.city, p.country_code,
    coalesce(s.state, known(p.state_part)) AS state_part,
    coalesce(y.city, p.city_part) AS city_part
FROM known_city p
LEFT JOIN _state s ON s.name = p.state_part AND s.country_code = coalesce(p.country_code, '')
LEFT JOIN _city y ON y.name = p.city_part
