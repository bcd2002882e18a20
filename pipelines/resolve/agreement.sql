-- Decisions in force against what would be linked without them: the best candidate, where it is likely and clear enough.
WITH judged AS (
    -- Of several accepted entities of one record the last counts.
    SELECT salesforce_id, reference_id, judgement FROM ({in_force}) WHERE object = $object AND judgement <> 'unsure'
    QUALIFY judgement = 'negative'
        OR row_number() OVER (PARTITION BY salesforce_id, judgement ORDER BY decided_at DESC, reference_id) = 1
), best AS (
    SELECT b.salesforce_id, b.reference_id,
        coalesce(b.match_probability >= $link AND (b.rule_code IS NOT NULL
            OR (b.veto IS NULL AND coalesce(b.match_weight - s.match_weight >= $margin, true))), false) AS links
    FROM match.{object}_candidate b
    LEFT JOIN match.{object}_candidate s ON s.salesforce_id = b.salesforce_id AND s.rank = 2
    WHERE b.rank = 1
), undone AS (
    -- A rejected pair is no candidate any more: that it had been linked is told by what the rejection changed.
    SELECT DISTINCT salesforce_id, old_reference_id AS reference_id FROM ops.link_change
    WHERE object = $object AND cause = 'decision' AND old_reference_id IS NOT NULL
)
SELECT count(*) FILTER (j.judgement = 'positive' AND coalesce(b.links AND b.reference_id = j.reference_id, false)) AS "right",
    count(*) FILTER (j.judgement = 'positive' AND b.links AND b.reference_id <> j.reference_id
        OR j.judgement = 'negative' AND u.salesforce_id IS NOT NULL) AS wrong,
    count(*) FILTER (j.judgement = 'positive' AND NOT coalesce(b.links AND b.reference_id = j.reference_id, false)) AS missed
FROM judged j
LEFT JOIN best b ON b.salesforce_id = j.salesforce_id
LEFT JOIN undone u ON u.salesforce_id = j.salesforce_id AND u.reference_id = j.reference_id
