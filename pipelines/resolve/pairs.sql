-- Candidate pairs of one part of the records: what shares a key of a bounded block; per record the best $most by how rare
-- the shared keys are, the ids of the entities deciding among equals; nth is their place in that order. kinds has a bit for
-- every kind of key.
INSERT INTO _pair
WITH met AS (
    SELECT l.n AS l, r.n AS r, bit_or(1::UINTEGER << l.kind) AS kinds, sum(b.rarity) AS shared_rarity
    FROM (SELECT * FROM _left_key WHERE n % $parts = $part) l
    JOIN (SELECT h, rarity FROM _block WHERE kept) b USING (h)
    JOIN _right_key r USING (h)
    GROUP BY l.n, r.n
), best AS (
    SELECT met.* FROM met ANTI JOIN _forbidden f ON f.l = met.l AND f.r = met.r
    QUALIFY rank() OVER (PARTITION BY met.l ORDER BY shared_rarity DESC) <= $most
)
SELECT b.l, b.r, b.kinds, b.shared_rarity, row_number() OVER (PARTITION BY b.l ORDER BY b.shared_rarity DESC, e.id) AS nth
FROM best b JOIN _right_id e ON e.n = b.r
QUALIFY nth <= $most;
