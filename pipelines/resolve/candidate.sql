-- Every entity considered for a record, best first. The odds of the pairs of one record compete with each other and
-- with "none of them", because a record is at most one entity.
CREATE OR REPLACE TEMP TABLE _considered AS
WITH pair AS (
    SELECT l, r FROM _pair UNION SELECT l, r FROM _rung_hit UNION SELECT l, r FROM _decided WHERE judgement <> 'negative'
    UNION SELECT l, r FROM _inherited WHERE judgement = 'positive'
), hit AS (
    -- The rung that decides comes first, else the first that proposes.
    SELECT l, r, arg_min(code, (hits <> 1, step)) AS code, min(hits) AS hits FROM _rung_hit GROUP BY l, r
), joined AS (
    SELECT pair.l, pair.r, hit.code AS rule_code, coalesce(hit.hits = 1, false) AS settled,
        coalesce(p.block_keys, []) AS block_keys, s.* EXCLUDE (l, r),
        l.id AS salesforce_id, r.id AS reference_id,
        coalesce(l.country_code = r.country_code, false) AS same_country, {employees} AS employees, {veto} AS veto
    FROM pair
    JOIN _left l ON l.n = pair.l
    JOIN _right r ON r.n = pair.r
    LEFT JOIN hit ON hit.l = pair.l AND hit.r = pair.r
    LEFT JOIN _pair p ON p.l = pair.l AND p.r = pair.r
    {alike}
    LEFT JOIN _scored s ON s.l = pair.l AND s.r = pair.r
), odds AS (
    SELECT *, pow(2, least(match_weight, 60)) AS pair_odds FROM joined
), shared AS (
    -- Summed in the order of the entities, so that the last digit is the same in every run.
    SELECT *, CASE WHEN settled THEN $certain ELSE pair_odds / (1 + sum(pair_odds) OVER (
        PARTITION BY l ORDER BY r ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)) END AS match_probability
    FROM odds
)
SELECT *, row_number() OVER (PARTITION BY l ORDER BY settled DESC, {ties}) AS rank FROM shared;
