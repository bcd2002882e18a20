-- Every record of salesforce.{object}, deleted ones too; linked_since stays while the link does.
SELECT s."Id" AS salesforce_id,
    CASE WHEN d.salesforce_id IS NOT NULL THEN 'skipped' ELSE coalesce(o.status, 'skipped') END AS status,
    r.id AS reference_id, o.method, o.rule_code,
    CASE WHEN o.r IS NOT NULL THEN o.match_weight END AS match_weight,
    CASE WHEN o.r IS NOT NULL THEN o.match_probability END AS match_probability,
    coalesce(o.candidate_count, 0)::INTEGER AS candidate_count,
    CASE WHEN d.salesforce_id IS NOT NULL THEN d.departure ELSE CASE o.verdict
        WHEN 'person' THEN 'accepted' WHEN 'rule' THEN 'rung' WHEN 'model' THEN 'model'
        WHEN 'rule proposed' THEN 'proposed' WHEN 'model proposed' THEN 'proposed'
        WHEN 'likely' THEN 'below_threshold' WHEN 'unlikely' THEN 'below_threshold'
        WHEN 'ambiguous' THEN 'ambiguous' WHEN 'vetoed' THEN 'vetoed'
        WHEN 'inherited' THEN 'asked_again' WHEN 'disowned' THEN 'asked_again' WHEN 'vanished' THEN 'asked_again'
        WHEN 'deferred' THEN 'deferred' WHEN 'refused' THEN 'forbidden'
        WHEN 'no candidate' THEN 'no_candidate' WHEN 'no reference' THEN 'no_candidate'
        ELSE {no_outcome} END END AS reason_code,
    coalesce(d.reason, o.reason, {otherwise}) AS reason,
    o.decided_by,
    CASE WHEN o.status = 'linked' THEN coalesce(p.linked_since, $now) END AS linked_since,
    {company}
    d.merged_into,
    {successor} AS successor_reference_id,
    $run_id AS run_id
FROM {records} s
LEFT JOIN _departed d ON d.salesforce_id = s."Id"
LEFT JOIN _left l ON l.id = s."Id" AND d.salesforce_id IS NULL
LEFT JOIN _outcome o ON o.l = l.n
LEFT JOIN _right r ON r.n = o.r
LEFT JOIN _previous p ON p.salesforce_id = s."Id" AND p.reference_id = r.id
LEFT JOIN _heir ON _heir.salesforce_id = s."Id"
{company_join}
