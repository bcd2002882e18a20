-- One rung: pairs of equal keys of records no earlier rung has linked, tested. One hit links, of more the first few are
-- kept, in the order of the entities' ids.
CREATE OR REPLACE TEMP TABLE _found AS
SELECT l.n AS l, r.n AS r
FROM (SELECT h, n FROM _left_rung_key ANTI JOIN (SELECT l AS n FROM _rung_hit WHERE hits = 1) USING (n)
    ANTI JOIN _crowded USING (h) WHERE step = {step}) lk
JOIN (SELECT h, n FROM _right_rung_key WHERE step = {step}) rk USING (h)
JOIN _left l ON l.n = lk.n
JOIN _right r ON r.n = rk.n
WHERE {test} AND NOT EXISTS (FROM _forbidden f WHERE f.l = l.n AND f.r = r.n);
INSERT INTO _rung_hit SELECT l, min(r), '{code}', {step}, 1 FROM _found GROUP BY l HAVING count(*) = 1;
INSERT INTO _rung_hit
SELECT f.l, f.r, '{code}', {step}, m.hits
FROM _found f JOIN (SELECT l, count(*) AS hits FROM _found GROUP BY l HAVING count(*) > 1) m USING (l)
JOIN _right_id r ON r.n = f.r
QUALIFY row_number() OVER (PARTITION BY f.l ORDER BY r.id) <= $most;
