-- A member is a contact or a lead; both kinds of one person occur.
SELECT salesforce_id('00v', k) AS "Id", 'false' AS "IsDeleted", salesforce_id('701', below(k, 'member.campaign', number('campaigns'))) AS "CampaignId",
    c.id AS "ContactId", l.id AS "LeadId", coalesce(c.id, l.id) AS "LeadOrContactId", CASE WHEN c.id IS NULL THEN 'Lead' ELSE 'Contact' END AS "Type",
    pick(['Sent', 'Sent', 'Responded', 'Attended', 'Registered'], k, 'member.status') AS "Status", (chance(k, 'member.responded') < 0.2)::VARCHAR AS "HasResponded", 'USD' AS "CurrencyIsoCode",
    stamp_text(created) AS "CreatedDate", owner_of(k) AS "CreatedById", stamp_text(modified) AS "LastModifiedDate", owner_of(k) AS "LastModifiedById", stamp_text(modified) AS "SystemModstamp"
FROM (SELECT *, modified_second(-7 - k, created) AS modified FROM (
    SELECT k, created_second(-7 - k, k, number('campaign_members'), 1200) AS created, below(k, 'member.contact', number('contacts')) // 100 * 100 + below(k, 'member.contact', number('contacts')) % 100 % 86 AS contact_k,
        below(k, 'member.lead', number('leads')) // 100 * 100 + below(k, 'member.lead', number('leads')) % 100 % 63 AS lead_k, chance(k, 'member.kind') < 0.5 AS is_contact
    FROM range(number('campaign_members')) AS t(k))) AS m
LEFT JOIN (SELECT id, k AS slot FROM contact_slot) AS c ON m.is_contact AND c.slot = m.contact_k
LEFT JOIN (SELECT id, k AS slot FROM lead_slot) AS l ON NOT m.is_contact AND l.slot = m.lead_k
