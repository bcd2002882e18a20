-- Pairs of sampled records with any entity, as chance has it and the same in every run, candidates left out.
CREATE OR REPLACE TEMP TABLE _random_pair AS
WITH numbered AS (
    SELECT n, (row_number() OVER (ORDER BY n) - 1)::UBIGINT AS place FROM _sample
), drawn AS (
    SELECT hash(i * 2) % $left AS place, (1 + hash(i * 2 + 1) % $right)::INTEGER AS r FROM range($pairs) t(i)
)
SELECT DISTINCT n.n AS l, d.r FROM drawn d JOIN numbered n USING (place)
ANTI JOIN _pair p ON p.l = n.n AND p.r = d.r
ANTI JOIN _anchor a ON a.l = n.n AND a.r = d.r;
