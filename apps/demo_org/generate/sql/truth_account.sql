-- Live company accounts whose company is in the reference; deleted and merged records have no truth.
SELECT id AS salesforce_id, company_id(c.r) AS reference_id FROM account_slot AS s JOIN company AS c USING (w)
WHERE s.kind IN ('primary', 'duplicate', 'branch') AND c.r < number('companies')
