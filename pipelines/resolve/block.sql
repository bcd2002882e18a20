-- Blocks: keys that both sides have, by size on the reference's side alone, so that what is a candidate of a record does
-- not depend on other records. Rarity goes by steps of a doubled size: one entity more or less seldom changes it.
CREATE OR REPLACE TEMP TABLE _block AS
WITH l AS (SELECT h, any_value(kind) AS kind, count(*) AS records FROM _left_key GROUP BY h)
SELECT h, kind, entities, records, block_rarity($entities, entities) AS rarity, entities <= $block AS kept
FROM (SELECT h, count(*) AS entities FROM _right_key SEMI JOIN l USING (h) GROUP BY h) JOIN l USING (h);
