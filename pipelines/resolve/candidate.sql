-- Every entity considered for a record, best first. The odds of the pairs of one record compete with each other and
-- with "none of them", because a record is at most one entity. Numbers only: what is sorted here should be narrow.
CREATE OR REPLACE TEMP TABLE _met AS
SELECT * REPLACE (match_weight + coalesce(weight_learned, 0) AS match_weight),
    pow(2, least(match_weight + coalesce(weight_learned, 0), 60)) AS pair_odds
FROM (SELECT *, {learned} AS weight_learned FROM ({met}));
CREATE OR REPLACE TEMP TABLE _considered AS
WITH summed AS (
    -- In the order of the entities, so that the last digit is the same in every run. How likely "none of them" is follows
    -- from the weights before anything was learnt.
    SELECT l, sum(pair_odds ORDER BY r) AS all_odds, {before} AS together FROM _met GROUP BY l
), rival AS (SELECT l, all_odds, {none} AS none FROM summed
), shared AS (
    -- A rung's link is as probable as the rung is precise.
    SELECT m.* EXCLUDE (pair_odds),
        CASE WHEN settled THEN coalesce(rung.precision, $certain) ELSE pair_odds / (t.all_odds + t.none) END AS match_probability
    FROM _met m JOIN rival t USING (l) LEFT JOIN _rung_precision rung ON rung.code = m.rule_code
)
SELECT * EXCLUDE (place), row_number() OVER (PARTITION BY l ORDER BY settled DESC, {ties}) AS rank FROM shared;
DROP TABLE _met;
-- The same with the ids of both sides and the names of the kinds of keys.
CREATE OR REPLACE TEMP TABLE _keys_of AS
SELECT kinds, list_sort(list_filter({kinds}, lambda x, i: (kinds >> (i - 1)) & 1 = 1)) AS block_keys
FROM (SELECT DISTINCT kinds FROM _considered);
CREATE OR REPLACE TEMP VIEW _candidate AS
SELECT c.*, l.id AS salesforce_id, r.id AS reference_id, k.block_keys
FROM _considered c JOIN _left l ON l.n = c.l JOIN _right r ON r.n = c.r JOIN _keys_of k ON k.kinds = c.kinds;
