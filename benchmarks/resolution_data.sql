-- N companies and N accounts from a generator of our own: 82 in 100 accounts are one of the companies, written by somebody
-- else (a letter wrong, a word less, another legal form, fields left out or stale); one company in ten is a branch of
-- another, same name and domain, other address. Everything follows from numbers: the same N gives the same rows.
CREATE OR REPLACE MACRO draw(i, what, size) AS (hash(i * 31 + what) % size)::INTEGER;
CREATE OR REPLACE MACRO syllable(k) AS ['ba','ce','di','fo','gu','ha','je','ki','lo','mu','na','pe','qui','ro','su','ta','ve','wi','xo','zu','bra','cle','dri','fro','gru','kla','ple','stri','tro','vlu'][k % 30 + 1];
-- Squared: few words are frequent, many are rare.
CREATE OR REPLACE MACRO rare_word(k, vocabulary) AS ((k % 1000003) / 1000003.0 * (k % 1000003) / 1000003.0 * vocabulary)::INTEGER;
CREATE OR REPLACE MACRO spelled(w) AS syllable(w) || syllable(w // 30 + 7) || syllable(w // 900 + 13) || CASE WHEN w % 3 = 0 THEN syllable(w // 27 + 3) ELSE '' END;
CREATE OR REPLACE MACRO trade(k) AS ['Systems','Consulting','Holding','Logistics','Foods','Energy','Medical','Software','Capital','Partners','Group','Trading','Construction','Design','Media','Travel','Motors','Textiles','Chemicals','Services'][k % 20 + 1];
CREATE OR REPLACE MACRO legal_form(k) AS ['Inc','LLC','Ltd','GmbH','Corp','SA','BV','AG'][k % 8 + 1];
CREATE OR REPLACE MACRO misspelt(x, i) AS CASE WHEN length(x) > 5 THEN left(x, 2 + draw(i, 90, length(x) - 3)) || substr(x, 4 + draw(i, 90, length(x) - 3)) ELSE x END;
CREATE TABLE company AS
WITH numbered AS (SELECT i, CASE WHEN i % 10 = 9 THEN i - 1 - draw(i, 1, 8) ELSE i END AS seat FROM range($rows) t(i))
SELECT 'c' || lpad(i::VARCHAR, 9, '0') AS company_id,
    spelled(rare_word(draw(seat, 2, 1000003), $rows // 8 + 500)) || ' ' || spelled(rare_word(draw(seat, 3, 1000003), $rows // 8 + 500)) || ' '
        || trade(draw(seat, 4, 1000)) || ' ' || legal_form(draw(i, 5, 1000)) AS name,
    CASE WHEN draw(seat, 6, 100) < 90 THEN spelled(draw(seat, 7, 800000)) || spelled(draw(seat, 8, 27000)) || '.com' END AS website,
    CASE WHEN draw(i, 9, 100) < 85 THEN '+1212' || lpad(draw(i, 10, 10000000)::VARCHAR, 7, '2') END AS phone,
    (1 + draw(i, 11, 900))::VARCHAR || ' ' || spelled(draw(i, 12, 9000)) || ' St' AS street,
    'City ' || spelled(draw(i, 13, 2000)) AS city,
    lpad(draw(i, 14, 40000)::VARCHAR, 5, '0') AS postal_code,
    'US' AS country
FROM numbered;
CREATE TABLE truth AS
SELECT '001' || lpad(i::VARCHAR, 15, '0') AS salesforce_id,
    CASE WHEN draw(i, 20, 100) < 82 THEN 'c' || lpad(draw(i, 21, $rows)::VARCHAR, 9, '0') END AS reference_id, i
FROM range($rows) t(i);
CREATE TABLE account AS
SELECT t.salesforce_id AS "Id",
    CASE WHEN c.name IS NULL THEN spelled(draw(i, 22, 900000)) || ' ' || trade(draw(i, 23, 1000))
        WHEN draw(i, 24, 100) < 15 THEN misspelt(c.name, i)
        WHEN draw(i, 24, 100) < 25 THEN split_part(c.name, ' ', 1) || ' ' || split_part(c.name, ' ', 2)
        WHEN draw(i, 24, 100) < 40 THEN regexp_replace(c.name, ' [A-Za-z]+$', '') ELSE c.name END AS "Name",
    CASE WHEN draw(i, 25, 100) < 65 THEN coalesce(c.website, CASE WHEN c.name IS NULL THEN spelled(draw(i, 26, 900000)) || '.net' END) END AS "Website",
    CASE WHEN draw(i, 27, 100) < 5 THEN '+1212' || lpad(draw(i, 28, 10000000)::VARCHAR, 7, '2') WHEN draw(i, 27, 100) < 60 THEN c.phone END AS "Phone",
    CASE WHEN draw(i, 29, 100) < 70 THEN c.street END AS "BillingStreet",
    CASE WHEN draw(i, 30, 100) < 80 THEN coalesce(c.city, 'City ' || spelled(draw(i, 31, 2000))) END AS "BillingCity",
    CASE WHEN draw(i, 32, 100) < 75 THEN c.postal_code END AS "BillingPostalCode",
    'US' AS "BillingCountry", false AS _is_deleted, 'r1' AS _run_id, TIMESTAMP '2026-03-01' AS _synced_at
FROM truth t LEFT JOIN company c ON c.company_id = t.reference_id;
