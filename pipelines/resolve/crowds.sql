-- Names, numbers and domains that several places share: franchises, switchboards, the web site of a group. How many: the
-- entities of the reference that have it; or the addresses of its records less one, because one company's records differ
-- by a misspelling, and copies of one record do not count.
-- Values that are one company's own are left out.
CREATE OR REPLACE TEMP TABLE _crowd AS
WITH entity AS (
    SELECT 'phone' AS kind, phone_tail(phone) AS value FROM standard.company
    UNION ALL SELECT 'domain', domain FROM standard.company WHERE NOT domain_is_shared
    UNION ALL SELECT 'name', name_key FROM standard.company
), record AS (
    SELECT 'phone' AS kind, phone_tail(phone) AS value, street_number AS place FROM standard.account
    UNION ALL SELECT 'domain', domain, street_number FROM standard.account WHERE NOT domain_is_shared
    UNION ALL SELECT 'name', name_key, street_number FROM standard.account
), often AS (
    -- Counting what is distinct is dear: only where there is enough to count.
    SELECT kind, value FROM record WHERE value IS NOT NULL AND place IS NOT NULL GROUP BY kind, value HAVING count(*) > 2
), address AS (
    -- An office building: how many names there are at one address of the reference.
    SELECT address_of(street_number, street_name, postal_code_clean, city_clean) AS value, count(DISTINCT name_key) AS places
    FROM standard.company WHERE street_number IS NOT NULL AND street_name IS NOT NULL
    GROUP BY value HAVING count(*) > 1
), many AS (
    SELECT kind, value, count(*) AS places FROM entity WHERE value IS NOT NULL GROUP BY kind, value HAVING count(*) > 1
    UNION ALL
    SELECT kind, value, count(DISTINCT place) - 1 FROM record SEMI JOIN often USING (kind, value) GROUP BY kind, value
    HAVING count(DISTINCT place) > 2
)
SELECT 'address' AS kind, value, places::INTEGER AS places FROM address WHERE places > 1
UNION ALL
SELECT kind, value, max(places)::INTEGER AS places FROM many GROUP BY kind, value;
