SELECT o.id AS "Id", (chance(k, 'deal.deleted') < 0.01)::VARCHAR AS "IsDeleted", account_id AS "AccountId",
    c.head_latin || pick([' - renewal', ' - new business', ' - expansion', ' pilot', ' "phase 2"', ' 2nd site'], k, 'deal.name') AS "Name",
    stage AS "StageName", CASE WHEN chance(k, 'deal.amount') < 0.92 THEN round(exp(6 + 7 * chance(k, 'deal.n')), 2)::DECIMAL(16, 2) END AS "Amount",
    CASE WHEN stage = 'Closed Won' THEN 100 WHEN stage = 'Closed Lost' THEN 0 WHEN stage = 'Prospecting' THEN 10 WHEN stage = 'Qualification' THEN 20
        WHEN stage = 'Needs Analysis' THEN 40 WHEN stage = 'Proposal/Price Quote' THEN 65 ELSE 90 END AS "Probability",
    day_text(closes) AS "CloseDate", pick(['New Business', 'Existing Business', 'Renewal', NULL], k, 'deal.type') AS "Type",
    pick(['Web', 'Trade Show', 'Phone Inquiry', 'Partner Referral', NULL], k, 'deal.source') AS "LeadSource",
    (stage LIKE 'Closed%')::VARCHAR AS "IsClosed", (stage = 'Closed Won')::VARCHAR AS "IsWon",
    CASE WHEN stage = 'Closed Won' THEN 'Closed' WHEN stage = 'Closed Lost' THEN 'Omitted' WHEN stage LIKE 'Nego%' THEN 'Commit' ELSE 'Pipeline' END AS "ForecastCategoryName",
    CASE WHEN chance(k, 'deal.campaign') < 0.2 THEN salesforce_id('701', below(k, 'deal.campaign.of', number('campaigns'))) END AS "CampaignId",
    CASE WHEN chance(k, 'deal.currency') < 0.9 THEN c.currency ELSE 'USD' END AS "CurrencyIsoCode",
    CASE WHEN chance(k, 'deal.text') < 0.15 THEN free_text(k) END AS "Description",
    owner_of(k + 5) AS "OwnerId", stamp_text(created) AS "CreatedDate", owner_of(k + 5) AS "CreatedById",
    stamp_text(modified) AS "LastModifiedDate", owner_of(k) AS "LastModifiedById", stamp_text(stamp_second(-5 - k, modified)) AS "SystemModstamp"
FROM (SELECT *, CASE WHEN stage LIKE 'Closed%' THEN least(closes, number('as_of_s') - 3600) ELSE modified_second(-5 - k, created) END AS modified FROM opportunity_slot) AS o
LEFT JOIN company AS c ON c.w = o.w
