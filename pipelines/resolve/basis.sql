-- Rows of standard.{kind} by a hash of all their values: since which place a row is there, and since when it is this one.
CREATE TABLE IF NOT EXISTS _state.{kind}_basis (
    id VARCHAR NOT NULL, basis UBIGINT NOT NULL, since BIGINT NOT NULL, place BIGINT NOT NULL
);
CREATE OR REPLACE TEMP TABLE _other AS
SELECT id, n.basis, b.since
FROM (SELECT {key} AS id, hash({values}) AS basis FROM standard.{kind}) n
FULL JOIN _state.{kind}_basis b USING (id)
WHERE n.basis IS DISTINCT FROM b.basis;
DELETE FROM _state.{kind}_basis USING _other WHERE _other.id = {kind}_basis.id;
INSERT INTO _state.{kind}_basis SELECT id, basis, coalesce(since, $place), $place FROM _other WHERE basis IS NOT NULL;
INSERT INTO _state.basis_log SELECT '{kind}', $place, count(*) FROM _other HAVING count(*) > 0;
DROP TABLE _other;
