-- The reference company of every contact or lead: its account's (of one merged away: of the account that survived), else the only company of its e-mail or web domain,
-- else the only company of its company name (unless the domains differ).
CREATE OR REPLACE TEMP TABLE _company_link AS
WITH by_domain AS (
    SELECT domain, min(company_id) AS company_id FROM standard.company
    WHERE domain IS NOT NULL AND NOT domain_is_shared GROUP BY domain HAVING count(*) = 1
), by_name AS (
    SELECT name_key, min(company_id) AS company_id, min(domain) AS domain FROM standard.company
    WHERE name_key IS NOT NULL GROUP BY name_key HAVING count(*) = 1
), found AS (
    SELECT s.salesforce_id, a.reference_id AS by_account, a.match_probability AS probability,
        d.company_id AS by_domain, n.company_id AS by_name
    FROM standard.{object} s
    LEFT JOIN _merged_account m ON m.id = s.account_id
    LEFT JOIN crosswalk.account a ON a.salesforce_id = coalesce(m.merged_into, s.account_id) AND a.status = 'linked'
    LEFT JOIN by_domain d ON d.domain = s.company_domain
    LEFT JOIN by_name n ON n.name_key = s.company_name_key AND coalesce(n.domain = s.company_domain, true)
)
SELECT salesforce_id, coalesce(by_account, by_domain, by_name) AS company_id,
    CASE WHEN by_account IS NOT NULL THEN 'account' WHEN by_domain IS NOT NULL THEN 'domain'
        WHEN by_name IS NOT NULL THEN 'name' END AS method,
    CASE WHEN by_account IS NOT NULL THEN probability WHEN by_domain IS NOT NULL AND by_domain = by_name THEN 0.99
        WHEN by_domain IS NOT NULL THEN 0.95 WHEN by_name IS NOT NULL THEN 0.9 END AS probability,
    CASE WHEN by_account IS NOT NULL THEN 'its account is linked to this company'
        WHEN by_domain IS NOT NULL THEN 'the only reference company of its e-mail or web domain'
        WHEN by_name IS NOT NULL THEN 'the only reference company of this name'
        ELSE 'no linked account, and neither domain nor company name singles out a reference company' END AS reason
FROM found;
