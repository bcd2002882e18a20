-- Records whose candidates are wanted: those no rung has linked, and a sample of all.
CREATE OR REPLACE TEMP TABLE _anchor AS SELECT l, r, code FROM _rung_hit WHERE hits = 1;
CREATE OR REPLACE TEMP TABLE _sample AS
SELECT n FROM _left ORDER BY hash(id || $seed::VARCHAR), n LIMIT $sample;
CREATE OR REPLACE TEMP TABLE _residue AS
SELECT n FROM _left ANTI JOIN (SELECT l AS n FROM _anchor) USING (n) UNION SELECT n FROM _sample;
