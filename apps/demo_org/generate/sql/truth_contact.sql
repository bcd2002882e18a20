SELECT s.id AS salesforce_id, person_id(p.ri) AS reference_id FROM contact_slot AS s JOIN person AS p USING (v)
WHERE s.kind IN ('primary', 'duplicate', 'second job') AND p.ri IS NOT NULL
UNION ALL
SELECT salesforce_id('003', number('contacts') + v - number('contact_primaries')), person_id(ri) FROM person
WHERE v >= number('contact_primaries') AND v < number('contact_primaries') + number('person_contacts') AND ri IS NOT NULL
