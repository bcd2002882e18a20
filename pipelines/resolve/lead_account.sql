-- The Salesforce account a lead belongs to: same domain (3 points), same name where the domains do not differ (2), same
-- reference company (2); the most points, the lowest id among equals. One domain may stand on very many leads and very
-- many accounts, so the lowest account of each combination of keys is looked up and no pair is made.
CREATE OR REPLACE TEMP TABLE _lead_account AS
WITH live AS (
    SELECT a.salesforce_id AS id, CASE WHEN NOT a.domain_is_shared THEN a.domain END AS domain, a.name_key, x.reference_id
    FROM standard.account a
    LEFT JOIN crosswalk.account x ON x.salesforce_id = a.salesforce_id AND x.status = 'linked'
), lead AS (
    SELECT s.salesforce_id, s.company_domain AS domain, s.company_name_key AS name_key, k.company_id AS reference_id
    FROM standard.lead s JOIN _company_link k ON k.salesforce_id = s.salesforce_id
), found AS (
    SELECT salesforce_id, 7 AS points, account_id
    FROM lead JOIN (SELECT domain, name_key, reference_id, min(id) AS account_id FROM live GROUP BY ALL)
        USING (domain, name_key, reference_id)
    UNION ALL
    SELECT salesforce_id, 5, account_id
    FROM lead JOIN (SELECT domain, name_key, min(id) AS account_id FROM live GROUP BY ALL) USING (domain, name_key)
    UNION ALL
    SELECT salesforce_id, 5, account_id
    FROM lead JOIN (SELECT domain, reference_id, min(id) AS account_id FROM live GROUP BY ALL) USING (domain, reference_id)
    UNION ALL
    SELECT salesforce_id, 4, CASE WHEN lead.domain IS NULL THEN account_id ELSE without_domain END
    FROM lead JOIN (SELECT name_key, reference_id, min(id) AS account_id, min(id) FILTER (domain IS NULL) AS without_domain
        FROM live GROUP BY ALL) USING (name_key, reference_id)
    UNION ALL
    SELECT salesforce_id, 3, account_id
    FROM lead JOIN (SELECT domain, min(id) AS account_id FROM live GROUP BY ALL) USING (domain)
    UNION ALL
    SELECT salesforce_id, 2, CASE WHEN lead.domain IS NULL THEN account_id ELSE without_domain END
    FROM lead JOIN (SELECT name_key, min(id) AS account_id, min(id) FILTER (domain IS NULL) AS without_domain
        FROM live GROUP BY ALL) USING (name_key)
    UNION ALL
    SELECT salesforce_id, 2, account_id
    FROM lead JOIN (SELECT reference_id, min(id) AS account_id FROM live GROUP BY ALL) USING (reference_id)
)
SELECT salesforce_id, arg_min(account_id, (-points, account_id)) AS account_id
FROM found WHERE account_id IS NOT NULL GROUP BY salesforce_id;
