-- Which record is of which kind and whom it stands for. Places of a hundred: see plan.py.
CREATE TABLE account_slot AS
WITH numbered AS (
    SELECT k, k % 100 AS place, scatter(k, number('accounts_step'), number('accounts_shift'), number('accounts')) AS seq
    FROM range(number('accounts')) AS t(k)
), kinds AS (
    SELECT *, CASE WHEN place < 81 THEN 'primary' WHEN place < 87 OR place = 99 THEN 'duplicate' WHEN place < 90 THEN 'branch'
        WHEN place < 94 THEN 'person' WHEN place < 96 THEN 'deleted' WHEN place < 98 THEN 'merged' ELSE 'junk' END AS kind
    FROM numbered
), targets AS (
    SELECT *, CASE WHEN kind = 'primary' THEN k // 100 * 81 + place
        WHEN kind NOT IN ('person', 'junk') THEN below(k, 'target', number('account_primaries')) END AS p,
        CASE WHEN kind = 'person' THEN k // 100 * 4 + place - 90 END AS person
    FROM kinds
)
SELECT k, seq, kind, p, person, salesforce_id('001', seq) AS id,
    CASE WHEN kind = 'merged' THEN p // 81 * 100 + p % 81 END AS master_k,
    scatter(CASE WHEN p < number('matched') THEN p ELSE number('companies') + p - number('matched') END,
        number('world_step'), number('world_shift'), number('world')) AS w
FROM targets;

CREATE TABLE contact_slot AS
WITH numbered AS (
    SELECT k, k % 100 AS place, scatter(k, number('contacts_step'), number('contacts_shift'), number('contacts')) AS seq
    FROM range(number('contacts')) AS t(k)
), kinds AS (
    SELECT *, CASE WHEN place < 86 THEN 'primary' WHEN place < 91 THEN 'duplicate' WHEN place < 95 THEN 'second job'
        WHEN place < 97 THEN 'deleted' WHEN place < 99 THEN 'merged' ELSE 'junk' END AS kind FROM numbered
), targets AS (
    SELECT *, CASE WHEN kind = 'primary' THEN k // 100 * 86 + place
        WHEN kind <> 'junk' THEN below(k, 'target', number('contact_primaries')) END AS v FROM kinds
), employed AS (
    -- A second job is at another account; every other record of a person hangs on the first one's account.
    SELECT *, CASE WHEN kind IN ('primary', 'duplicate', 'deleted', 'merged') THEN v ELSE -1 - k END AS employment FROM targets
)
SELECT e.k, e.seq, e.kind, e.v, salesforce_id('003', e.seq) AS id, CASE WHEN e.kind = 'merged' THEN v // 86 * 100 + v % 86 END AS master_k,
    -- The first ninety of each hundred accounts are live companies; a few of them have most of the people.
    pull // 100 * 100 + pull % 100 % 90 AS account_k
FROM (SELECT *, floor(number('accounts') * chance(employment, 'employer') ** 1.5)::BIGINT AS pull FROM employed) AS e;

CREATE TABLE lead_slot AS
WITH numbered AS (
    SELECT k, k % 100 AS place, scatter(k, number('leads_step'), number('leads_shift'), number('leads')) AS seq
    FROM range(number('leads')) AS t(k)
), kinds AS (
    SELECT *, CASE WHEN place < 63 THEN 'primary' WHEN place < 88 AND number('contact_primaries') = 0 THEN 'duplicate'
        WHEN place < 78 THEN 'contact' WHEN place < 88 THEN 'converted' WHEN place < 93 THEN 'duplicate'
        WHEN place < 95 THEN 'deleted' WHEN place < 97 THEN 'merged' ELSE 'junk' END AS kind FROM numbered
), targets AS (
    SELECT *, CASE WHEN kind = 'primary' THEN k // 100 * 63 + place
        WHEN kind IN ('duplicate', 'deleted', 'merged') THEN below(k, 'target', number('lead_primaries')) END AS l,
        CASE WHEN kind IN ('contact', 'converted') THEN below(k, 'target', number('contact_primaries')) END AS c FROM kinds
)
SELECT k, seq, kind, salesforce_id('00Q', seq) AS id, CASE WHEN kind = 'merged' THEN l // 63 * 100 + l % 63 END AS master_k,
    coalesce(c, number('contact_primaries') + number('person_contacts') + l) AS v, c // 86 * 100 + c % 86 AS contact_k
FROM targets;
