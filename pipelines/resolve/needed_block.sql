-- The blocks of the records that are looked at, as they are now: their sizes, and who is in those that are kept.
CREATE OR REPLACE TEMP TABLE _block AS
WITH l AS (SELECT h, any_value(kind) AS kind, count(*) AS records FROM _left_key GROUP BY h), counted AS (
    SELECT h, count(*) AS entities FROM _state.{object}_kept_entity_key SEMI JOIN l USING (h) GROUP BY h
), now AS (
    SELECT l.*, coalesce(s.after, c.entities, 0)::BIGINT AS entities
    FROM l LEFT JOIN counted c USING (h) LEFT JOIN _resized s USING (h)
)
SELECT h, kind, entities, records, block_rarity($entities, entities) AS rarity, entities <= $block AS kept
FROM now WHERE entities > 0;
CREATE OR REPLACE TEMP TABLE _right_key AS
SELECT k.h, k.kind, k.n FROM _state.{object}_kept_entity_key k
SEMI JOIN (SELECT h FROM _block WHERE kept) b ON b.h = k.h ANTI JOIN _changed_right c ON c.n = k.n
UNION ALL SELECT k.h, k.kind, k.n FROM _new_key k SEMI JOIN (SELECT h FROM _block WHERE kept) b ON b.h = k.h;
