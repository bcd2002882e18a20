-- Opportunity.csv: three years of deals; most were opened with a contact, whose account they are on.
CREATE TABLE opportunity_slot AS
WITH numbered AS (
    SELECT k, created_second(-5 - k, k, number('opportunities'), 1095) AS created,
        CASE WHEN number('contacts') > 0 AND chance(k, 'deal.contact') < 0.75 THEN below(k, 'deal.of', number('contacts')) END AS contact_k,
        floor(number('account_primaries') * chance(k, 'deal.account') ** 1.6)::BIGINT AS p
    FROM range(number('opportunities')) AS t(k)
), filed AS (
    SELECT n.*, CASE WHEN c.kind IN ('primary', 'second job') THEN c.id END AS contact_id,
        CASE WHEN c.kind IN ('primary', 'second job') THEN c.account_id ELSE account_id(primary_account_k(n.p)) END AS account_id,
        CASE WHEN c.kind IN ('primary', 'second job') THEN c.w END AS contact_w,
        scatter(CASE WHEN n.p < number('matched') THEN n.p ELSE number('companies') + n.p - number('matched') END,
            number('world_step'), number('world_shift'), number('world')) AS account_w
    FROM numbered AS n LEFT JOIN contact_row AS c ON c.k = n.contact_k
)
SELECT k, created, contact_id, account_id, coalesce(contact_w, account_w) AS w, salesforce_id('006', k) AS id,
    CASE WHEN (number('as_of_s') - created) / 86400.0 > 45 + 200 * chance(k, 'deal.length')
        THEN CASE WHEN chance(k, 'deal.won') < 0.42 THEN 'Closed Won' ELSE 'Closed Lost' END
        ELSE pick(['Prospecting', 'Qualification', 'Needs Analysis', 'Proposal/Price Quote', 'Negotiation/Review'], k, 'deal.stage') END AS stage,
    created + floor((45 + 200 * chance(k, 'deal.length')) * 86400)::BIGINT AS closes
FROM filed;
