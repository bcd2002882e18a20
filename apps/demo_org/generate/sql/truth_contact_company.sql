-- The company a contact is filed under, where the reference has it (junk contacts have an account too).
SELECT s.id AS salesforce_id, company_id(c.r) AS reference_id FROM contact_row AS s JOIN company AS c USING (w)
WHERE s.kind IN ('primary', 'duplicate', 'second job') AND c.r < number('companies')
