SELECT s.id AS salesforce_id, company_id(c.r) AS reference_id FROM lead_slot AS s JOIN person AS p USING (v) JOIN company AS c ON c.w = p.w
WHERE s.kind NOT IN ('deleted', 'merged', 'junk') AND c.r < number('companies')
