SELECT salesforce_id('701', k) AS "Id", 'false' AS "IsDeleted",
    pick(['Spring', 'Summer', 'Autumn', 'Winter', 'Partner', 'Customer'], k, 'campaign.a') || ' ' || pick(['Webinar', 'Trade Show', 'Newsletter', 'Roadshow', 'Dinner'], k, 'campaign.b')
        || ' ' || strftime(make_timestamp(created::BIGINT * 1000000), '%Y') || ' #' || k AS "Name",
    pick(['Webinar', 'Conference', 'Email', 'Other'], k, 'campaign.type') AS "Type", pick(['Planned', 'In Progress', 'Completed', 'Completed'], k, 'campaign.status') AS "Status",
    day_text(created + 86400 * 14) AS "StartDate", day_text(created + 86400 * 28) AS "EndDate", (chance(k, 'campaign.active') < 0.4)::VARCHAR AS "IsActive", 'USD' AS "CurrencyIsoCode",
    owner_of(k) AS "OwnerId", stamp_text(created) AS "CreatedDate", owner_of(k) AS "CreatedById",
    stamp_text(modified) AS "LastModifiedDate", owner_of(k) AS "LastModifiedById", stamp_text(modified) AS "SystemModstamp"
FROM (SELECT *, modified_second(-6 - k, created) AS modified FROM (SELECT k, created_second(-6 - k, k, number('campaigns'), 1500) AS created FROM range(number('campaigns')) AS t(k)))
