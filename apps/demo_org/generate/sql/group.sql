-- The queues that own leads nobody has taken.
SELECT salesforce_id('00G', q) AS "Id", ['Inbound Leads', 'Partner Leads'][q + 1] AS "Name", ['Inbound_Leads', 'Partner_Leads'][q + 1] AS "DeveloperName", 'Queue' AS "Type",
    stamp_text(number('as_of_s') - 86400 * 2600) AS "CreatedDate", stamp_text(number('as_of_s') - 86400 * 2600) AS "LastModifiedDate", stamp_text(number('as_of_s') - 86400 * 2600) AS "SystemModstamp"
FROM range(2) AS t(q)
