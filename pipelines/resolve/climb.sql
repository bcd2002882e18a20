-- One rung: pairs of equal keys of records no earlier rung has linked, tested. One hit links where it is certain (else it
-- counts as one of two), of more the first few are kept, in the order of the entities' ids. The test stands in a CASE so
-- that nothing of it is taken for a condition of a join: "both or neither a branch" would compare everything with everything.
CREATE OR REPLACE TEMP TABLE _keyed_alike AS
SELECT {distinct} lk.n AS l, rk.n AS r
FROM (SELECT h, n FROM _left_rung_key ANTI JOIN (SELECT l AS n FROM _rung_hit WHERE hits = 1) USING (n)
    ANTI JOIN _crowded USING (h) WHERE step = {step}) lk
JOIN (SELECT h, n FROM _right_rung_key WHERE step = {step}) rk USING (h)
ANTI JOIN _forbidden f ON f.l = lk.n AND f.r = rk.n;
CREATE OR REPLACE TEMP TABLE _found AS
SELECT p.l, p.r, {certain} AS certain FROM _keyed_alike p JOIN _left l ON l.n = p.l JOIN _right r ON r.n = p.r
WHERE CASE WHEN {test} THEN true ELSE false END;
INSERT INTO _rung_hit
SELECT l, min(r), '{code}', {step}, CASE WHEN bool_and(certain) THEN 1 ELSE 2 END FROM _found GROUP BY l HAVING count(*) = 1;
INSERT INTO _rung_hit
SELECT f.l, f.r, '{code}', {step}, m.hits
FROM _found f JOIN (SELECT l, count(*) AS hits FROM _found GROUP BY l HAVING count(*) > 1) m USING (l)
JOIN _right_id r ON r.n = f.r
QUALIFY row_number() OVER (PARTITION BY f.l ORDER BY r.id) <= $most;
