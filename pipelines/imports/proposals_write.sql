-- Undecided proposals that are new, another or gone. The others are not touched.
CREATE OR REPLACE TEMP TABLE import_other AS
SELECT salesforce_id
FROM (
  SELECT salesforce_id, hash(name, first_name, last_name, website, email, phone, mobile, title,
    industry, company_id, street, city, state, postal_code, country) AS mark
  FROM import_proposed
) AS n
FULL JOIN (
  SELECT salesforce_id, hash(name, first_name, last_name, website, email, phone, mobile, title,
    industry, company_id, street, city, state, postal_code, country) AS mark
  FROM imports.creation_proposal WHERE object = $object AND status = 'proposed'
) AS o USING (salesforce_id)
WHERE n.mark IS DISTINCT FROM o.mark;
DELETE FROM imports.creation_proposal
WHERE object = $object AND status = 'proposed' AND salesforce_id IN (SELECT salesforce_id FROM import_other);
INSERT INTO imports.creation_proposal BY NAME
SELECT * FROM import_proposed SEMI JOIN import_other USING (salesforce_id)
