-- Every live account of the company a lead works for: any of them is right.
SELECT s.id AS salesforce_id, a.id AS account_id FROM lead_slot AS s JOIN person AS p USING (v)
JOIN account_slot AS a ON a.w = p.w AND a.kind IN ('primary', 'duplicate', 'branch')
WHERE s.kind NOT IN ('deleted', 'merged', 'junk')
