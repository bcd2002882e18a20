-- Every pair there is anything to say of, once: found by keys (kinds has a bit for each kind), by rungs, or named by a
-- decision. otherwise: not by keys alone; considered: all but what people rejected; spared: shown however little it weighs.
CREATE OR REPLACE TEMP TABLE _paired AS
WITH hit AS (
    -- The rung that decides comes first, else the first that proposes.
    SELECT l, r, arg_min(code, (hits <> 1, step)) AS rule_code, min(hits) = 1 AS settled FROM _rung_hit GROUP BY l, r
), said AS (
    SELECT l, r, bool_or(counts) AS counts FROM (
        SELECT l, r, judgement <> 'negative' AS counts FROM _decided
        UNION ALL SELECT l, r, true FROM _inherited WHERE judgement = 'positive'
    ) GROUP BY l, r
)
SELECT coalesce(p.l, h.l) AS l, coalesce(p.r, h.r) AS r, coalesce(p.kinds, 0)::UINTEGER AS kinds, h.rule_code,
    coalesce(h.settled, false) AS settled, h.l IS NOT NULL OR coalesce(s.counts, false) AS otherwise, true AS considered,
    otherwise OR p.nth <= $shown OR coalesce(p.l, h.l) IN (SELECT l FROM said) AS spared
FROM _pair p FULL JOIN hit h ON h.l = p.l AND h.r = p.r
LEFT JOIN said s ON s.l = p.l AND s.r = p.r
UNION ALL
SELECT l, r, 0, NULL, false, counts, counts, true
FROM said ANTI JOIN _pair USING (l, r) ANTI JOIN hit USING (l, r);
CREATE OR REPLACE TEMP VIEW _to_score AS SELECT l, r FROM _paired;
