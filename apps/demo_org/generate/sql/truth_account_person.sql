-- Person accounts whose person is in the reference.
SELECT s.id AS salesforce_id, person_id(p.ri) AS reference_id
FROM account_slot AS s JOIN person AS p ON p.v = number('contact_primaries') + s.person
WHERE s.kind = 'person' AND s.person < number('person_contacts') AND p.ri IS NOT NULL
