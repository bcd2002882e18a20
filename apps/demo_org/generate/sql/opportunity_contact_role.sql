SELECT salesforce_id('00K', k) AS "Id", 'false' AS "IsDeleted", id AS "OpportunityId", contact_id AS "ContactId",
    pick(['Decision Maker', 'Business User', 'Economic Buyer', 'Evaluator', NULL], k, 'role') AS "Role", 'true' AS "IsPrimary", 'USD' AS "CurrencyIsoCode",
    stamp_text(created) AS "CreatedDate", owner_of(k + 5) AS "CreatedById", stamp_text(created) AS "LastModifiedDate", owner_of(k + 5) AS "LastModifiedById", stamp_text(created) AS "SystemModstamp"
FROM opportunity_slot WHERE contact_id IS NOT NULL AND chance(k, 'role.has') < 0.8
