-- Which own users fit a CRM user: by e-mail address, and where none does by full name.
--
-- Reads _crm_user, ownership.own_user, _in_force (salesforce_id, own_id: what settings, people or earlier runs have
-- said). Makes _user_match: candidates, and the proposal where exactly one own user fits and nobody else has it.
CREATE OR REPLACE TEMP TABLE _user_match AS
WITH own AS (
  SELECT user_id, _email_key(email) AS email_key, _name_key(name) AS name_key FROM ownership.own_user
), by_email AS (
  SELECT email_key, list_sort(list(user_id)) AS ids FROM own WHERE email_key IS NOT NULL GROUP BY ALL
), by_name AS (
  SELECT name_key, list_sort(list(user_id)) AS ids FROM own WHERE name_key IS NOT NULL GROUP BY ALL
), hits AS (
  SELECT c.salesforce_id, c.name_key, coalesce(e.ids, []) AS email_ids,
    CASE WHEN e.ids IS NULL THEN coalesce(n.ids, []) ELSE [] END AS name_ids
  FROM _crm_user AS c
  LEFT JOIN by_email AS e USING (email_key)
  LEFT JOIN by_name AS n ON n.name_key = c.name_key
  WHERE c.kind = 'user'
), taken AS (
  -- Whose somebody else is already: a name alone does not make a second CRM user the same person.
  SELECT own_id, list(salesforce_id) AS holders FROM (
    SELECT own_id, salesforce_id FROM _in_force WHERE own_id IS NOT NULL
    UNION SELECT email_ids[1], salesforce_id FROM hits WHERE len(email_ids) = 1)
  GROUP BY ALL
), namesakes AS (
  SELECT name_key, count(*) AS people FROM hits WHERE len(email_ids) = 0 AND len(name_ids) > 0 GROUP BY ALL
)
SELECT h.salesforce_id, h.email_ids, h.name_ids, (h.email_ids || h.name_ids)[:20] AS candidates,
  len(h.name_ids) = 1 AND (s.people > 1 OR len(list_filter(coalesce(t.holders, []), lambda x: x <> h.salesforce_id)) > 0)
    AS contested,
  CASE WHEN len(h.email_ids) = 1 THEN h.email_ids[1] WHEN len(h.name_ids) = 1 AND NOT contested THEN h.name_ids[1] END
    AS proposed,
  CASE WHEN proposed IS NOT NULL THEN CASE WHEN len(h.email_ids) = 1 THEN 'email' ELSE 'full_name' END END
    AS proposed_by
FROM hits AS h
LEFT JOIN namesakes AS s ON s.name_key = h.name_key AND len(h.name_ids) > 0
LEFT JOIN taken AS t ON t.own_id = h.name_ids[1]
