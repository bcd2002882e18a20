SELECT s.id AS salesforce_id, person_id(p.ri) AS reference_id FROM lead_slot AS s JOIN person AS p USING (v)
WHERE s.kind NOT IN ('deleted', 'merged', 'junk') AND p.ri IS NOT NULL
