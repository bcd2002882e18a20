-- Accounts as an org holds them: long names, multi-line text, leading zeros, 'NA' and 'None', large amounts.
-- $rows is how many, $path the CSV file. Every value follows from the row number.
COPY (
  SELECT
    format('0010{:011d}AAA', i) AS "Id",
    format('{} {} {}', ['Northern', 'Blue', 'United', 'Atlas'][1 + i % 4], ['Freight', 'Steel', 'Foods'][1 + i % 3], i) AS "Name",
    ['Customer', 'Prospect', 'Partner', 'None', 'NA'][1 + i % 5] AS "Type",
    CASE WHEN i % 20 = 0 THEN format('0010{:011d}AAA', i // 20) END AS "ParentId",
    format('{} Harbour Road' || chr(10) || 'Dock "{}", Gate {}', i % 900, i % 40, i % 7) AS "BillingStreet",
    ['Oslo', 'Zürich', 'São Paulo', 'Springfield'][1 + i % 4] AS "BillingCity",
    ['NA', 'CA', 'ZH', ''][1 + i % 4] AS "BillingState",
    format('{:05d}', i % 99999) AS "BillingPostalCode",
    ['Norway', 'Switzerland', 'Brazil', 'United States'][1 + i % 4] AS "BillingCountry",
    round(45 + (hash(i, 1) % 1000000)::DOUBLE / 1e5, 6) AS "BillingLatitude",
    round(5 + (hash(i, 2) % 1000000)::DOUBLE / 1e5, 6) AS "BillingLongitude",
    ['Bergen', 'Basel', 'Recife', 'Salem'][1 + i % 4] AS "ShippingCity",
    format('{:05d}', i % 88888) AS "ShippingPostalCode",
    ['Norway', 'Switzerland', 'Brazil', 'United States'][1 + i % 4] AS "ShippingCountry",
    format('+1 (555) {:03d}-{:04d}', i % 1000, i % 10000) AS "Phone",
    CASE WHEN i % 3 = 0 THEN format('+1 555 {:07d}', i % 10000000) END AS "Fax",
    format('{:010d}', i) AS "AccountNumber",
    format('https://www.company-{}.example.com/about?id={}', i, i % 17) AS "Website",
    format('{:04d}', i % 10000) AS "Sic",
    ['Banking', 'Energy', 'Retail', 'Other', 'None'][1 + i % 5] AS "Industry",
    (hash(i, 3) % 2000000000)::BIGINT AS "AnnualRevenue",
    (hash(i, 4) % 100000)::BIGINT AS "NumberOfEmployees",
    ['Public', 'Private', 'Subsidiary'][1 + i % 3] AS "Ownership",
    CASE WHEN i % 10 = 0 THEN format('TK{}', i % 9999) END AS "TickerSymbol",
    format('Account {} was opened by the team of region {}.' || chr(10) || 'It said: "call back", and nothing else.',
      i, i % 12) AS "Description",
    ['Hot', 'Warm', 'Cold'][1 + i % 3] AS "Rating",
    CASE WHEN i % 5 = 0 THEN 'Headquarters' END AS "Site",
    format('0050{:011d}AAA', i % 200) AS "OwnerId",
    strftime(TIMESTAMP '2015-01-01' + to_seconds((hash(i, 5) % 200000000)::BIGINT), '%Y-%m-%dT%H:%M:%S.000Z') AS "CreatedDate",
    format('0050{:011d}AAA', i % 90) AS "CreatedById",
    strftime(TIMESTAMP '2022-01-01' + to_seconds((hash(i, 6) % 100000000)::BIGINT), '%Y-%m-%dT%H:%M:%S.000Z')
      AS "LastModifiedDate",
    format('0050{:011d}AAA', i % 70) AS "LastModifiedById",
    strftime(TIMESTAMP '2022-01-01' + to_seconds((hash(i, 6) % 100000000)::BIGINT), '%Y-%m-%dT%H:%M:%S.000Z')
      AS "SystemModstamp",
    CASE WHEN i % 2 = 0 THEN strftime(DATE '2023-01-01' + (i % 900)::INTEGER, '%Y-%m-%d') END AS "LastActivityDate",
    ['Web', 'NA', 'None', 'Phone', 'null'][1 + i % 5] AS "AccountSource",
    format('{:09d}', hash(i, 7) % 1000000000) AS "DunsNumber",
    round((hash(i, 8) % 100000000)::DOUBLE / 100, 2) AS "Score__c",
    CASE WHEN i % 2 = 0 THEN 'true' ELSE 'false' END AS "Active__c",
    strftime(DATE '2020-01-01' + (i % 2000)::INTEGER, '%Y-%m-%d') AS "Signed__c"
  FROM range($rows) AS t(i)
) TO '$path' (FORMAT csv, HEADER true)
