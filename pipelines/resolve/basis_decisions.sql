-- The decisions on each record, its own and those passed on to it, in the order they were made: the last one accepted links.
CREATE OR REPLACE TEMP TABLE _other AS
WITH now AS (
    SELECT id, hash(list(said ORDER BY decided_at, said)) AS basis FROM (
        SELECT salesforce_id AS id, decided_at, reference_id || ' ' || judgement AS said FROM ({in_force}) WHERE object = $object
        UNION ALL
        SELECT l.id, i.decided_at, i.from_id || ' ' || i.reference_id || ' ' || i.judgement FROM _inherited i JOIN _left l ON l.n = i.l AND l.id <> i.from_id
    ) GROUP BY id
)
SELECT id, n.basis FROM now n FULL JOIN (SELECT * FROM _state.decision_basis WHERE object = $object) b USING (id)
WHERE n.basis IS DISTINCT FROM b.basis;
DELETE FROM _state.decision_basis USING _other WHERE _other.id = decision_basis.id AND decision_basis.object = $object;
INSERT INTO _state.decision_basis SELECT $object, id, basis, $place FROM _other;
DROP TABLE _other;
