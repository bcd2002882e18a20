-- Every reference entity of one kind with everybody who owns records of it; nobody where it is not in the CRM.
--
-- {records}: the visible records of the kind: object, place (the object that speaks first has the lowest), and the
-- columns of ownership.<object>. {entities}: the reference ids there are. Most entities have one record, which is taken
-- as it is: only the records of the others are sorted and grouped.
INSERT INTO ownership.search BY NAME
WITH record AS (
  SELECT * FROM ({records})
), crowded AS MATERIALIZED (
  SELECT reference_id FROM record GROUP BY reference_id HAVING count(*) > 1
), beside AS MATERIALIZED (
  SELECT *, row_number() OVER (PARTITION BY reference_id ORDER BY place, is_primary DESC, salesforce_id) = 1 AS speaks
  FROM record SEMI JOIN crowded USING (reference_id)
), spoken_for AS (
  SELECT reference_id, object AS primary_object, salesforce_id AS primary_salesforce_id FROM beside WHERE speaks
), held AS (
  SELECT reference_id, owner_id, any_value(owner_kind) AS held_by, any_value(owner_name) AS owner_name,
    any_value(owner_email) AS owner_email, any_value(mapped_user) AS mapped_user, bool_or(speaks) AS has_primary,
    list(salesforce_id ORDER BY speaks DESC, salesforce_id) AS salesforce_ids, count(*) AS record_count,
    list_sort(list_distinct(flatten(list(lists)))) AS lists,
    CASE WHEN bool_and(opportunity_count IS NOT NULL) THEN sum(opportunity_count) END AS opportunity_count,
    -- Records without opportunities have no currency; those of several currencies have no amounts either.
    bool_and(open_amount IS NOT NULL)
      AND min(coalesce(currency, '')) FILTER (opportunity_count > 0)
        IS NOT DISTINCT FROM max(coalesce(currency, '')) FILTER (opportunity_count > 0) AS summable,
    CASE WHEN summable THEN sum(open_amount) END AS open_amount,
    CASE WHEN summable THEN sum(won_amount) END AS won_amount,
    CASE WHEN summable THEN sum(total_amount) END AS total_amount,
    CASE WHEN summable THEN any_value(currency) FILTER (opportunity_count > 0) END AS currency
  FROM beside GROUP BY reference_id, owner_id
)
SELECT '{kind}' AS kind, h.* EXCLUDE (summable), s.* EXCLUDE (reference_id), TRUE AS in_crm
FROM held AS h JOIN spoken_for AS s USING (reference_id)
UNION ALL BY NAME
SELECT '{kind}' AS kind, reference_id, owner_id, owner_kind AS held_by, owner_name, owner_email, mapped_user,
  TRUE AS has_primary, [salesforce_id] AS salesforce_ids, 1 AS record_count, lists, opportunity_count, open_amount,
  won_amount, total_amount, currency, object AS primary_object, salesforce_id AS primary_salesforce_id, TRUE AS in_crm
FROM record ANTI JOIN crowded USING (reference_id)
UNION ALL BY NAME
SELECT '{kind}' AS kind, reference_id, FALSE AS in_crm, 'nobody' AS held_by, FALSE AS has_primary,
  []::VARCHAR[] AS salesforce_ids, 0 AS record_count, []::VARCHAR[] AS lists
FROM ({entities}) ANTI JOIN record USING (reference_id)
