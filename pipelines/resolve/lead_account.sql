-- The Salesforce account a lead belongs to: same domain, same name, or the same reference company, the more the better;
-- accounts of another domain never; the lowest id among equals.
CREATE OR REPLACE TEMP TABLE _lead_account AS
WITH live AS (
    SELECT a.salesforce_id, CASE WHEN NOT a.domain_is_shared THEN a.domain END AS domain, a.name_key, x.reference_id
    FROM standard.account a
    LEFT JOIN crosswalk.account x ON x.salesforce_id = a.salesforce_id AND x.status = 'linked'
), evidence AS (
    SELECT s.salesforce_id, a.salesforce_id AS account_id, 3 AS points
    FROM standard.lead s JOIN live a ON a.domain = s.company_domain
    UNION ALL
    SELECT s.salesforce_id, a.salesforce_id, 2
    FROM standard.lead s JOIN live a ON a.name_key = s.company_name_key AND coalesce(a.domain = s.company_domain, true)
    UNION ALL
    SELECT k.salesforce_id, a.salesforce_id, 2
    FROM _company_link k JOIN live a ON a.reference_id = k.company_id
), summed AS (
    SELECT salesforce_id, account_id, sum(points) AS points FROM evidence GROUP BY ALL
)
SELECT salesforce_id, arg_min(account_id, (-points, account_id)) AS account_id FROM summed GROUP BY salesforce_id;
