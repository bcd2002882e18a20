-- Candidate pairs: what shares a key of a bounded block; per record the best $most by how rare the shared keys are
-- (decimals: their sum is the same in whatever order).
CREATE OR REPLACE TEMP TABLE _block AS
WITH r AS (SELECT hash(kind, value) AS h, count(*) AS entities FROM _right_key GROUP BY h),
l AS (SELECT hash(kind, value) AS h, count(*) AS records FROM _left_key GROUP BY h)
SELECT h, entities, records, (ln($entities / entities) + 0.1)::DECIMAL(18, 9) AS rarity,
    entities <= $block AND entities * records <= $block * $product AS kept
FROM r JOIN l USING (h);
CREATE OR REPLACE TEMP TABLE _pair AS
SELECT l.n AS l, r.n AS r, list(DISTINCT l.kind ORDER BY l.kind) AS block_keys, sum(b.rarity) AS shared_rarity
FROM _left_key l
JOIN _block b ON b.h = hash(l.kind, l.value) AND b.kept
JOIN _right_key r ON hash(r.kind, r.value) = b.h
ANTI JOIN _forbidden f ON f.l = l.n AND f.r = r.n
GROUP BY l.n, r.n
QUALIFY row_number() OVER (PARTITION BY l.n ORDER BY shared_rarity DESC, r.n) <= $most;
-- Records that share a key with the reference which was too common to make pairs of.
CREATE OR REPLACE TEMP TABLE _too_common AS
SELECT DISTINCT l.n FROM _left_key l JOIN _block b ON b.h = hash(l.kind, l.value) WHERE NOT b.kept;
