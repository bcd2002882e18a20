-- Records of one object that wait for a person: in review, or accepted for an entity that is no more.
SELECT '{object}' AS object, c.salesforce_id, s.name_raw AS name, c.reference_id, r.name_raw AS candidate_name,
    c.match_probability, c.match_weight, c.rule_code, coalesce(c.candidate_count, 0)::INTEGER AS candidate_count, c.reason,
    coalesce({teaching}, 1 - abs(2 * coalesce(c.match_probability, 0.5) - 1))::DOUBLE AS teaching_value,
    coalesce(w.amount, 0)::DOUBLE AS worth, w.currency, coalesce(w.comparable, 0)::DOUBLE AS comparable, w.basis,
    coalesce({teaching}, 1 - abs(2 * coalesce(c.match_probability, 0.5) - 1))::DOUBLE * coalesce(w.comparable, 0)::DOUBLE AS rank_value,
    CASE WHEN v.salesforce_id IS NOT NULL THEN 'vanished'
        WHEN d.judgement IN ('positive', 'negative') OR c.method = 'person' THEN 'returned'
        WHEN d.judgement = 'unsure' THEN 'deferred' ELSE 'undecided' END AS waiting,
    s.country_code AS country, {owner} AS owner_id, {veto} AS veto, c.status
FROM crosswalk.{object} c
LEFT JOIN standard.{object} s ON s.salesforce_id = c.salesforce_id
LEFT JOIN standard.{kind} r ON r.{kind}_id = c.reference_id
LEFT JOIN match.{object}_candidate k ON k.salesforce_id = c.salesforce_id AND k.reference_id = c.reference_id
LEFT JOIN salesforce.{object} o ON o."Id" = c.salesforce_id
LEFT JOIN ({worth}) w ON w.salesforce_id = c.salesforce_id
LEFT JOIN ({in_force}) d ON d.salesforce_id = c.salesforce_id AND d.reference_id = c.reference_id
LEFT JOIN (
    -- What was accepted last, where the reference does not have it any more.
    SELECT salesforce_id FROM (
        SELECT f.*, e.{kind}_id AS there FROM ({in_force}) f LEFT JOIN standard.{kind} e ON e.{kind}_id = f.reference_id
        WHERE f.judgement = 'positive'
        QUALIFY row_number() OVER (PARTITION BY f.salesforce_id ORDER BY f.decided_at DESC, f.reference_id) = 1
    ) WHERE there IS NULL
) v ON v.salesforce_id = c.salesforce_id
WHERE c.status = 'in_review' OR (c.status = 'unmatched' AND v.salesforce_id IS NOT NULL)
