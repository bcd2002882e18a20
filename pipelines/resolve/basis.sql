-- Rows of standard.{kind} by a hash of all their values: since which place a row is there, and since when it is this one.
-- A standard row is kept while its _input_hash is: only the others are hashed, and only those are written. Where it is
-- known which rows can have changed, the others are left out.
CREATE TABLE IF NOT EXISTS _state.{kind}_basis (
    id VARCHAR NOT NULL, input BIGINT NOT NULL, basis UBIGINT NOT NULL, since BIGINT NOT NULL, place BIGINT NOT NULL
);
CREATE OR REPLACE TEMP TABLE _other AS
WITH kept AS (FROM _state.{kind}_basis {scoped_basis})
SELECT n.*, b.basis AS before, b.since, b.place
FROM (SELECT {key} AS id, _input_hash AS input, hash({values}) AS basis FROM (FROM standard.{kind} {scoped_rows}) s
    ANTI JOIN kept k ON k.id = s.{key} AND k.input = s._input_hash) n
LEFT JOIN kept b USING (id);
INSERT INTO _other BY NAME
SELECT id, basis AS before FROM (FROM _state.{kind}_basis {scoped_basis}) ANTI JOIN standard.{kind} ON {key} = id;
DELETE FROM _state.{kind}_basis USING _other WHERE _other.id = {kind}_basis.id;
INSERT INTO _state.{kind}_basis
SELECT id, input, basis, coalesce(since, $place), CASE WHEN basis = before THEN place ELSE $place END
FROM _other WHERE basis IS NOT NULL;
INSERT INTO _state.basis_log
SELECT '{kind}', $place, count(*) FROM _other WHERE basis IS DISTINCT FROM before HAVING count(*) > 0;
DROP TABLE _other;
