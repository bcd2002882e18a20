-- Every record of salesforce.{object}, deleted ones too; linked_since stays while the link does.
SELECT s."Id" AS salesforce_id,
    CASE WHEN s._is_deleted THEN 'skipped' ELSE coalesce(o.status, 'skipped') END AS status,
    r.id AS reference_id, o.method, o.rule_code,
    CASE WHEN o.r IS NOT NULL THEN o.match_weight END AS match_weight,
    CASE WHEN o.r IS NOT NULL THEN o.match_probability END AS match_probability,
    coalesce(o.candidate_count, 0)::INTEGER AS candidate_count,
    CASE WHEN s._is_deleted THEN 'deleted in Salesforce' ELSE coalesce(o.reason, 'not standardised in this run') END AS reason,
    o.decided_by,
    CASE WHEN o.status = 'linked' THEN coalesce(p.linked_since, $now) END AS linked_since,
    {company}
    $run_id AS run_id
FROM salesforce.{object} s
LEFT JOIN _left l ON l.id = s."Id"
LEFT JOIN _outcome o ON o.l = l.n
LEFT JOIN _right r ON r.n = o.r
LEFT JOIN _previous p ON p.salesforce_id = s."Id" AND p.reference_id = r.id
{company_join}
