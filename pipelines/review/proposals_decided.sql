-- Proposals decided since the last run, or in another way. The day they were first made stays, the others are not touched.
CREATE OR REPLACE TEMP TABLE _newly_decided AS
SELECT d.* REPLACE (coalesce(p.proposed_at, d.proposed_at) AS proposed_at, coalesce(p.run_id, d.run_id) AS run_id)
FROM (
  FROM _decided_proposals ANTI JOIN imports.creation_proposal USING (object, salesforce_id, status, decided_at)
) AS d
LEFT JOIN imports.creation_proposal AS p USING (object, salesforce_id);
DELETE FROM imports.creation_proposal USING _newly_decided AS d
WHERE creation_proposal.object = d.object AND creation_proposal.salesforce_id = d.salesforce_id;
INSERT INTO imports.creation_proposal BY NAME FROM _newly_decided
