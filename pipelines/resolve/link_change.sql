-- Links of the run before against those of this one. What an earlier attempt of this run changed (_noted) is undone first.
CREATE OR REPLACE TEMP TABLE _moved AS
WITH now AS (
    SELECT salesforce_id, reference_id, method FROM crosswalk.{object} {only} WHERE status = 'linked'
), before AS (
    SELECT coalesce(p.salesforce_id, e.salesforce_id) AS salesforce_id, p.salesforce_id IS NOT NULL AS known, p.method,
        e.causes, e.new_reference_id,
        CASE WHEN e.salesforce_id IS NULL THEN p.reference_id ELSE e.old_reference_id END AS reference_id
    FROM _previous p FULL JOIN _noted e ON e.salesforce_id = p.salesforce_id
)
SELECT coalesce(n.salesforce_id, p.salesforce_id) AS salesforce_id, coalesce(p.known, false) AS known,
    p.reference_id AS old_reference_id, n.reference_id AS new_reference_id, p.method AS old_method, n.method AS new_method,
    CASE WHEN p.new_reference_id IS NOT DISTINCT FROM n.reference_id THEN p.causes END AS noted
FROM now n
FULL JOIN before p ON p.salesforce_id = n.salesforce_id
WHERE n.reference_id IS DISTINCT FROM p.reference_id;
-- What differs from the run before in all that a link of these records depends on.
CREATE OR REPLACE TEMP TABLE _weighed_before AS
SELECT salesforce_id, old_reference_id AS id FROM _moved WHERE old_reference_id IS NOT NULL
UNION SELECT salesforce_id, new_reference_id FROM _moved WHERE new_reference_id IS NOT NULL
UNION SELECT salesforce_id, reference_id FROM {candidates_before} SEMI JOIN _moved USING (salesforce_id)
UNION SELECT salesforce_id, reference_id FROM _candidate SEMI JOIN _moved USING (salesforce_id);
-- Of the large tables what is asked of them, first: a join of everything costs more than a small change.
CREATE OR REPLACE TEMP TABLE _entity_basis AS FROM _state.{kind}_basis SEMI JOIN _weighed_before USING (id);
CREATE OR REPLACE TEMP TABLE _record_basis AS
FROM _state.{object}_basis SEMI JOIN (SELECT salesforce_id AS id FROM _moved) USING (id);
CREATE OR REPLACE TEMP TABLE _evidence AS
WITH entity AS (
    SELECT c.salesforce_id, bool_or(b.id IS NULL OR b.place > $last) AS other
    FROM _weighed_before c LEFT JOIN _entity_basis b USING (id) GROUP BY c.salesforce_id
), employer AS ({employer}
)
SELECT m.*, d.departure,
    m.old_reference_id IS NOT NULL AND o.id IS NULL AS gone,
    coalesce(f.since > $last, false) AS fresh_entity,
    coalesce(r.since > $last, NOT m.known) AS fresh_record,
    coalesce(r.place > $last, NOT m.known) AS data,
    coalesce(j.place > $last, false) AS decision,
    coalesce(e.other, false) OR coalesce(w.other, false) AS reference,
    w.cause AS by_account,
    $new_model AND coalesce(m.new_method, 'model') = 'model' AND coalesce(m.old_method, 'model') = 'model' AS model
FROM _moved m
LEFT JOIN _departed d ON d.salesforce_id = m.salesforce_id AND m.new_reference_id IS NULL
LEFT JOIN _entity_basis o ON o.id = m.old_reference_id
LEFT JOIN _entity_basis f ON f.id = m.new_reference_id
LEFT JOIN _record_basis r ON r.id = m.salesforce_id
LEFT JOIN _state.decision_basis j ON j.object = $object AND j.id = m.salesforce_id
LEFT JOIN entity e ON e.salesforce_id = m.salesforce_id
LEFT JOIN employer w ON w.salesforce_id = m.salesforce_id;
-- The cause that counts, and beside it whatever else is another one now. A link to an entity that is gone had to go; one to
-- an entity that was not there could not be. What is left when nothing of a record, its candidates and its decisions is
-- another: how common a word, a domain or a phone number is, which other records or entities changed.
CREATE OR REPLACE TEMP TABLE _caused AS
SELECT *, CASE
        WHEN departure IS NOT NULL THEN departure
        WHEN gone AND new_method IS DISTINCT FROM 'person' THEN 'reference'
        WHEN decision THEN 'decision'
        WHEN gone OR fresh_entity AND NOT fresh_record THEN 'reference'
        WHEN (NOT $known_basis OR $new_version) AND known THEN 'settings'
        WHEN data THEN 'data'
        WHEN by_account IS NOT NULL THEN by_account
        WHEN reference THEN 'reference'
        WHEN $new_settings THEN 'settings'
        WHEN model OR $new_model THEN 'model'
        WHEN $entities > 0 THEN 'reference'
        ELSE 'data' END AS cause
FROM _evidence;
INSERT INTO ops.link_change BY NAME
SELECT $run_id AS run_id, $object AS object, salesforce_id,
    CASE WHEN old_reference_id IS NULL THEN 'made' WHEN new_reference_id IS NULL THEN 'lost' ELSE 'moved' END AS change,
    old_reference_id, new_reference_id,
    coalesce(noted, [cause] || list_filter([
        CASE WHEN decision THEN 'decision' END,
        CASE WHEN $known_basis AND data OR by_account = 'data' THEN 'data' END,
        CASE WHEN $known_basis AND reference OR gone OR by_account = 'reference' THEN 'reference' END,
        CASE WHEN model OR by_account = 'model' THEN 'model' END,
        CASE WHEN $new_settings OR $new_version THEN 'settings' END
    ], lambda x: x IS NOT NULL AND x <> cause)) AS causes,
    causes[1] AS cause, $now AS changed_at
FROM _caused;
