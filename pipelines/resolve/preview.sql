-- One row per record whose link the model decides: its best candidate, the lead over the second, what a person said.
SELECT x.salesforce_id, b.reference_id, b.match_probability AS probability, b.veto IS NULL AS free,
    b.match_weight - s.match_weight AS margin, d.judgement
FROM crosswalk.{object} x
JOIN match.{object}_candidate b ON b.salesforce_id = x.salesforce_id AND b.rank = 1
LEFT JOIN match.{object}_candidate s ON s.salesforce_id = x.salesforce_id AND s.rank = 2
LEFT JOIN match.decision d ON d.object = '{object}' AND d.salesforce_id = x.salesforce_id AND d.reference_id = b.reference_id
    AND d.withdrawn_at IS NULL AND d.judgement <> 'unsure'
WHERE x.status <> 'skipped' AND coalesce(x.method, 'model') <> 'rule' AND b.match_probability IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY x.salesforce_id ORDER BY d.decided_at DESC NULLS LAST) = 1
