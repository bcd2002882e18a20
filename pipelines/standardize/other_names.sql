-- The keys of a company's other names: those within its name and those the reference lists.
CREATE OR REPLACE TEMP TABLE _other_name AS
SELECT key, list(DISTINCT name_key ORDER BY name_key) AS names
FROM (SELECT key, array_to_string(list_sort(words), ' ') AS name_key FROM ({names}) WHERE words IS NOT NULL)
GROUP BY key
