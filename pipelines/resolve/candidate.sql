-- Every entity considered for a record, best first. The odds of the pairs of one record compete with each other and
-- with "none of them", because a record is at most one entity.
CREATE OR REPLACE TEMP TABLE _considered AS
WITH learned AS (
    SELECT *, {learned} AS weight_learned FROM ({met})
), odds AS (
    SELECT * REPLACE (match_weight + coalesce(weight_learned, 0) AS match_weight),
        pow(2, least(match_weight + coalesce(weight_learned, 0), 60)) AS pair_odds
    FROM learned
), shared AS (
    -- A rung's link is as probable as the rung is precise. The odds are summed in the order of the entities, so that
    -- the last digit is the same in every run.
    SELECT odds.*, CASE WHEN settled THEN coalesce(rung.precision, $certain) ELSE pair_odds / (1 + sum(pair_odds) OVER (
        PARTITION BY l ORDER BY r ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)) END AS match_probability
    FROM odds LEFT JOIN _rung_precision rung ON rung.code = odds.rule_code
)
SELECT *, row_number() OVER (PARTITION BY l ORDER BY settled DESC, {ties}) AS rank FROM shared;
