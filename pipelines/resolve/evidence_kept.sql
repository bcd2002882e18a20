-- The judgement in force per pair of one object, with what spoke for it when it was made, where that was kept.
CREATE OR REPLACE TEMP TABLE _evidence_kept AS
SELECT d.salesforce_id, d.reference_id, d.evidence, e.record, e.entity
FROM (
    SELECT * FROM match.decision
    WHERE object = $object AND withdrawn_at IS NULL AND (expires_at IS NULL OR expires_at > $at)
    QUALIFY row_number() OVER (PARTITION BY salesforce_id, reference_id ORDER BY decided_at DESC, judgement) = 1
) AS d
JOIN _state.decision_evidence AS e ON e.decision_id = d.decision_id
WHERE d.evidence IS NOT NULL
