-- Every live record of one object: the match the org keeps in a field of its own, ours, and what the two say together.
SELECT c.salesforce_id, s.name_raw AS name, c.status, c.reason, f.theirs, c.ours,
    {their_name} AS theirs_name, {our_name} AS ours_name,
    CASE WHEN f.theirs IS NULL AND c.ours IS NULL THEN 'neither'
        WHEN f.theirs IS NULL THEN 'only_ours'
        WHEN c.ours IS NOT NULL AND {same} THEN 'agree'
        WHEN NOT {known} THEN 'unknown'
        WHEN c.ours IS NULL THEN 'only_theirs' ELSE 'other' END AS verdict
FROM (SELECT salesforce_id, status, reason, CASE WHEN status = 'linked' OR {always} THEN {ours} END AS ours FROM crosswalk.{object}) AS c
JOIN (SELECT "Id" AS id, nullif(trim({field}::VARCHAR), '') AS theirs FROM salesforce.{object} WHERE NOT _is_deleted) AS f
    ON f.id = c.salesforce_id
LEFT JOIN standard.{object} AS s ON s.salesforce_id = c.salesforce_id
LEFT JOIN {entities} AS t ON {their_key} = {their_value}
LEFT JOIN {our_entities} AS o ON {our_key} = {our_value}
