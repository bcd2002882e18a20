-- Rows of one side that are new, other or gone since they were kept; a new row gets the next number. _signed has the
-- rows as they are; {differs} leaves nothing to compare where their digest is what it was.
CREATE OR REPLACE TEMP TABLE _fresh AS
SELECT id, sig FROM _signed m ANTI JOIN {kept} k ON k.sig = m.sig {differs};
CREATE OR REPLACE TEMP TABLE _stale AS
SELECT n, id FROM {kept} k ANTI JOIN _signed m ON m.sig = k.sig {differs};
DROP TABLE _signed;
CREATE OR REPLACE TEMP TABLE _changed_{side} AS
SELECT coalesce(s.n, (SELECT coalesce(max(n), 0) FROM {kept})
        + row_number() OVER (PARTITION BY s.n IS NULL ORDER BY f.id))::INTEGER AS n,
    coalesce(f.id, s.id) AS id, f.sig, s.n IS NOT NULL AS was, f.id IS NOT NULL AS is_now
FROM _fresh f FULL JOIN _stale s ON s.id = f.id;
