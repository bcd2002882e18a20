-- What the changed entities' keys were and are, which they lost or got, and how large the blocks of those keys were and are.
CREATE OR REPLACE TEMP TABLE _old_key AS
SELECT k.h, k.kind, k.n FROM _state.{object}_kept_entity_key k SEMI JOIN _changed_right c ON c.n = k.n;
CREATE OR REPLACE TEMP TABLE _old_rung_key AS
SELECT k.step, k.h, k.n FROM _state.{object}_kept_entity_rung k SEMI JOIN _changed_right c ON c.n = k.n;
CREATE OR REPLACE TEMP TABLE _moved_key AS
SELECT h, n FROM _new_key ANTI JOIN _old_key USING (h, n)
UNION ALL SELECT h, n FROM _old_key ANTI JOIN _new_key USING (h, n);
CREATE OR REPLACE TEMP TABLE _resized AS
WITH moved AS (
    SELECT h, sum(more) AS more FROM (
        SELECT h, 1 AS more FROM _new_key UNION ALL SELECT h, -1 FROM _old_key) GROUP BY h
), sized AS (
    SELECT moved.h, moved.more, coalesce(b.entities, 0) AS before, coalesce(b.entities, 0) + moved.more AS after
    FROM moved
    LEFT JOIN (SELECT h, count(*) AS entities FROM _state.{object}_kept_entity_key SEMI JOIN moved USING (h) GROUP BY h) b
        USING (h)
)
SELECT h, before, after, CASE WHEN after BETWEEN 1 AND $block THEN block_rarity($entities, after) END AS rarity,
    -- The weight of the key changed for everybody who has it, or whether it makes candidates at all.
    before > 0 AND after > 0 AND before <> after AND least(before, after) <= $block
        AND (before > $block OR after > $block
            OR block_rarity($entities, before) <> block_rarity($entities, after)) AS elsewhere,
    (before > $block) <> (after > $block) AS cut
FROM sized;
