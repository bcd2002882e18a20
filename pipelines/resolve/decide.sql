-- One row per live record that has anything to match on or to be decided: the best entity and what to do with it.
CREATE OR REPLACE TEMP TABLE _verdict AS
WITH first AS (FROM _considered WHERE rank = 1
), whole AS (
    SELECT l, count(*) + coalesce(any_value(h.pairs), 0) AS candidates, arg_min(rule_code, rank) AS rule_code, sum(match_probability ORDER BY rank) AS together
    FROM _considered LEFT JOIN (SELECT l, count(*) AS pairs FROM _hopeless GROUP BY l) h USING (l) GROUP BY l
), best AS (
    SELECT f.l, w.candidates, f.r, w.rule_code, f.settled, f.match_weight AS weight, f.match_probability AS probability,
        s.match_weight AS second_weight, f.veto, w.together
    FROM first f JOIN whole w USING (l) LEFT JOIN (SELECT l, match_weight FROM _considered WHERE rank = 2) s USING (l)
), spoken AS (
    SELECT l, r, match_weight, match_probability FROM _considered
    SEMI JOIN (SELECT l, r FROM _decided UNION SELECT l, r FROM _inherited) USING (l, r)
), accepted AS (SELECT * FROM _decided WHERE links
), refused AS (SELECT l, count(*) AS pairs FROM _forbidden GROUP BY l
), deferred AS (SELECT DISTINCT l, r FROM _decided WHERE judgement = 'unsure'
), heir AS (
    -- What a person accepted last for a record that is part of this one now.
    SELECT * FROM _inherited WHERE judgement = 'positive'
    QUALIFY row_number() OVER (PARTITION BY l ORDER BY decided_at DESC, r) = 1
), disowned AS (SELECT * FROM _inherited WHERE judgement = 'negative'
)
SELECT n.n AS l, coalesce(a.r, b.r) AS r, coalesce(b.candidates, 0)::INTEGER AS candidate_count,
    CASE WHEN a.r IS NOT NULL THEN 'person' WHEN b.settled THEN 'rule' WHEN b.r IS NOT NULL THEN 'model' END AS method,
    b.rule_code, b.settled, a.decided_by, a.reason AS person_reason, refused.pairs AS refused,
    CASE WHEN a.r IS NOT NULL THEN c.match_weight ELSE b.weight END AS match_weight,
    CASE WHEN a.r IS NOT NULL THEN 1.0 ELSE b.probability END AS match_probability,
    b.together, b.weight - b.second_weight AS margin, b.veto, d.l IS NOT NULL AS deferred, t.n IS NOT NULL AS too_common,
    {no_key} AS no_key, h.r AS heir_r, h.reference_id AS heir_reference, h.from_id AS heir_of, h.decided_by AS heir_by,
    h.changed AS heir_changed, x.changed AS disowned_changed,
    v.decided_by || ' accepted ' || v.reference_id || strftime(v.decided_at, ' on %Y-%m-%d') || ', which is no longer in the reference'
        AS vanished,
    hc.match_weight AS heir_weight, hc.match_probability AS heir_probability, x.from_id AS disowned_of, x.decided_by AS disowned_by
FROM _left n
LEFT JOIN best b ON b.l = n.n
LEFT JOIN accepted a ON a.l = n.n
LEFT JOIN spoken c ON c.l = a.l AND c.r = a.r
LEFT JOIN refused ON refused.l = n.n
LEFT JOIN deferred d ON d.l = b.l AND d.r = b.r
LEFT JOIN heir h ON h.l = n.n
LEFT JOIN spoken hc ON hc.l = h.l AND hc.r = h.r
LEFT JOIN disowned x ON x.l = b.l AND x.r = b.r
LEFT JOIN _vanished v ON v.l = n.n
LEFT JOIN _too_common t ON t.n = n.n;
CREATE OR REPLACE TEMP TABLE _outcome AS
WITH by_itself AS (
    SELECT *, CASE
        WHEN method = 'person' THEN 'person'
        WHEN no_key AND r IS NULL THEN 'no key'
        WHEN $entities = 0 THEN 'no reference'
        WHEN r IS NULL AND refused > 0 THEN 'refused'
        WHEN r IS NULL THEN 'no candidate'
        WHEN deferred THEN 'deferred'
        WHEN veto IS NOT NULL AND NOT settled AND match_probability >= $review THEN 'vetoed'
        WHEN settled AND $auto_link = 'none' THEN 'rule proposed'
        WHEN settled THEN 'rule'
        WHEN match_probability >= $link AND coalesce(margin >= $margin, true) AND $auto_link <> 'model' THEN 'model proposed'
        WHEN match_probability >= $link AND coalesce(margin >= $margin, true) THEN 'model'
        WHEN together >= $link OR (rule_code IS NOT NULL AND match_weight IS NULL) THEN 'ambiguous'
        WHEN match_probability >= $review THEN 'likely'
        ELSE 'unlikely' END AS own_verdict
    FROM _verdict
), with_heritage AS (
    -- A decision on a record that became part of this one is asked about again wherever it says something else.
    SELECT *, CASE WHEN vanished IS NOT NULL AND own_verdict IN ('person', 'rule', 'model') THEN 'vanished'
            WHEN own_verdict = 'person' THEN 'person'
            WHEN heir_r IS NOT NULL AND (heir_changed IS NOT NULL OR NOT (own_verdict IN ('rule', 'model') AND heir_r = r)) THEN 'inherited'
            WHEN disowned_of IS NOT NULL AND own_verdict IN ('rule', 'model') THEN 'disowned'
            ELSE own_verdict END AS verdict
    FROM by_itself
), judged AS (
    SELECT * REPLACE (CASE WHEN verdict = 'inherited' THEN heir_r ELSE r END AS r,
        CASE WHEN verdict = 'inherited' THEN 'person' ELSE method END AS method,
        CASE WHEN verdict = 'inherited' THEN heir_weight ELSE match_weight END AS match_weight,
        CASE WHEN verdict = 'inherited' THEN heir_probability ELSE match_probability END AS match_probability)
    FROM with_heritage
)
SELECT l, verdict, candidate_count,
    CASE WHEN verdict IN ('person', 'rule', 'model') THEN 'linked'
        WHEN verdict IN ('inherited', 'disowned', 'vanished', 'deferred', 'rule proposed', 'model proposed', 'ambiguous', 'vetoed', 'likely') THEN 'in_review'
        WHEN verdict = 'no key' THEN 'skipped' ELSE 'unmatched' END AS status,
    CASE WHEN status IN ('linked', 'in_review') THEN r END AS r,
    CASE WHEN status IN ('linked', 'in_review') THEN method END AS method,
    CASE WHEN status IN ('linked', 'in_review') AND method = 'rule' THEN rule_code END AS rule_code,
    match_weight, match_probability, CASE WHEN verdict = 'person' THEN decided_by END AS decided_by,
    CASE WHEN vanished IS NOT NULL AND verdict <> 'vanished' THEN vanished || '; ' ELSE '' END || CASE verdict
        WHEN 'vanished' THEN vanished || ': accept or reject this entity'
        WHEN 'person' THEN 'accepted by ' || coalesce(decided_by, 'a person') || coalesce(': ' || person_reason, '')
            || CASE WHEN heir_r <> r THEN '; ' || heir_reference || ' was accepted for ' || heir_of || ', which became part of it' ELSE '' END
        WHEN 'inherited' THEN coalesce(heir_by, 'a person') || ' accepted ' || heir_reference || CASE WHEN heir_changed IS NOT NULL
            THEN ', but the evidence has changed since (' || heir_changed || '): accept or reject it again' ELSE ' for ' || heir_of
            || ', which became part of this record: accept or reject it here' END
        WHEN 'disowned' THEN coalesce(disowned_by, 'a person') || ' rejected this entity' || CASE WHEN disowned_changed IS NOT NULL
            THEN ', but the evidence has changed since (' || disowned_changed || '): accept or reject it again' ELSE ' for ' || disowned_of
            || ', which became part of this record: accept or reject it here' END
        WHEN 'no key' THEN 'no key to match on: no usable name, domain, e-mail or phone'
        WHEN 'no reference' THEN 'no reference is configured, or it is empty'
        WHEN 'refused' THEN 'forbidden by a decision: every candidate was rejected'
        WHEN 'no candidate' THEN CASE WHEN too_common
            THEN 'no candidate: every key the record shares with the reference is too common to tell entities apart'
            ELSE 'no candidate: no entity of the reference shares a key with the record' END
        WHEN 'deferred' THEN 'a person looked and was unsure'
        WHEN 'rule proposed' THEN 'proposed by rung ' || rule_code || '; matching.auto_link is none'
        WHEN 'rule' THEN 'rung ' || rule_code || ' is satisfied by this entity alone'
        WHEN 'model proposed' THEN format('probability {:.3f} would link; matching.auto_link is {}', match_probability, $auto_link)
        WHEN 'model' THEN format('probability {:.3f} is at or above the link threshold {}', match_probability, $link)
        WHEN 'vetoed' THEN format('vetoed: probability {:.3f}, but {}', match_probability, veto)
        WHEN 'ambiguous' THEN format('ambiguous: {} candidates, the best leads the second by {:.1f} bits', candidate_count, coalesce(margin, 0))
        WHEN 'likely' THEN format('below threshold: probability {:.3f} lies below the link threshold {} and above the review threshold {}', match_probability, $link, $review)
        ELSE format('below threshold: the best of {} candidates has probability {:.3f}', candidate_count, coalesce(match_probability, 0)) END AS reason
FROM judged;
