-- Per account with open opportunities: amount and currency as they are shown, what puts accounts in order, and on what
-- that rests. One currency: the amount. Several: the amount in the corporate currency by the org's rates; where a rate is
-- missing, the place of the amount among those of its own currency (between 0 and 1,
-- the middle for the only one), the best of an account's.
WITH open AS (
    SELECT o."AccountId" AS account_id, {currency} AS currency, sum(o."Amount")::DOUBLE AS amount
    FROM salesforce.opportunity AS o
    WHERE NOT {closed} AND NOT {gone} AND o."AccountId" IS NOT NULL GROUP BY ALL
), rate AS ({rates}),
rated AS (
    SELECT o.*, CASE WHEN r.rate > 0 THEN o.amount / r.rate END AS common FROM open o LEFT JOIN rate r USING (currency)
), basis AS (
    SELECT CASE WHEN count(DISTINCT currency) <= 1 THEN 'one currency'
        WHEN bool_and(common IS NOT NULL) THEN 'rates' ELSE 'places' END AS basis FROM rated
), placed AS (
    SELECT r.*, b.basis, CASE WHEN b.basis = 'one currency' THEN amount WHEN b.basis = 'rates' THEN common
        WHEN amount > 0 THEN cume_dist() OVER (PARTITION BY currency ORDER BY amount) - 0.5 / count(*) OVER (PARTITION BY currency)
        ELSE 0 END AS comparable
    FROM rated r, basis b
)
SELECT account_id, basis,
    CASE WHEN count(*) = 1 OR basis = 'one currency' THEN sum(amount)
        WHEN basis = 'rates' THEN sum(common) ELSE arg_max(amount, comparable) END AS amount,
    CASE WHEN count(DISTINCT currency) <= 1 THEN min(currency)
        WHEN basis = 'rates' THEN (SELECT min(currency) FROM rate WHERE corporate) ELSE arg_max(currency, comparable) END AS currency,
    CASE WHEN basis = 'places' THEN max(comparable) ELSE sum(comparable) END AS comparable
FROM placed GROUP BY account_id, basis
