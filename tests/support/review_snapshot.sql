-- {rows} accounts that wait for a person, every second one with an open opportunity.
CREATE TEMP MACRO record(n) AS '001' || lpad(n::VARCHAR, 15, '0');
CREATE TEMP MACRO called(n) AS ['Northern', 'Golden', 'Atlas', 'Harbor', 'Crown'][n % 5 + 1] || ' ' ||
    ['Foods', 'Steel', 'Textiles', 'Energy', 'Optics', 'Paper', 'Logistics'][n % 7 + 1] || ' ' || n;
CREATE TABLE salesforce.account AS
SELECT record(n) AS "Id", called(n) AS "Name", n % 97 || ' Main St' AS "BillingStreet", 'Boston' AS "BillingCity",
    '005' || lpad((n % 40)::VARCHAR, 15, '0') AS "OwnerId", false AS _is_deleted,
    TIMESTAMP '2026-03-01' AS _synced_at, 'r1' AS _run_id
FROM range({rows}) t(n);
CREATE TABLE salesforce.opportunity AS
SELECT '006' || lpad(n::VARCHAR, 15, '0') AS "Id", record(n) AS "AccountId", (n * 7919 % 100000)::DECIMAL(18, 2) AS "Amount",
    false AS "IsClosed", 'USD' AS "CurrencyIsoCode", false AS _is_deleted,
    TIMESTAMP '2026-03-01' AS _synced_at, 'r1' AS _run_id
FROM range(0, {rows}, 2) t(n);
CREATE TABLE reference.company AS
SELECT 'c' || n AS company_id, called(n) || ' Inc' AS name, 'Boston' AS city, 'source' AS origin FROM range({rows}) t(n);
CREATE TABLE standard.account AS
SELECT record(n) AS salesforce_id, called(n) AS name_raw, lower(called(n)) AS name_clean, 'us' AS country_code
FROM range({rows}) t(n);
CREATE TABLE standard.company AS
SELECT 'c' || n AS company_id, called(n) || ' Inc' AS name_raw, lower(called(n)) AS name_clean, 'us' AS country_code
FROM range({rows}) t(n);
CREATE TABLE crosswalk.account AS
SELECT record(n) AS salesforce_id, 'in_review' AS status, 'c' || n AS reference_id, 'model' AS method, 1.5 AS match_weight,
    0.5 + (n * 31 % 4000) / 10000 AS match_probability, 2 AS candidate_count, 'likely' AS reason, 'r1' AS run_id
FROM range({rows}) t(n);
CREATE TABLE match.account_candidate AS
SELECT record(n) AS salesforce_id, 'c' || ((n + k) % {rows}) AS reference_id, ['name'] AS block_keys, 1.5 - 2 * k AS match_weight,
    (0.5 + (n * 31 % 4000) / 10000) / (k + 1) AS match_probability, (k + 1)::INTEGER AS rank, 1.5 - 2 * k AS weight_name
FROM range({rows}) t(n), range(2) u(k);
