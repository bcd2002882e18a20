SELECT salesforce_id('005', u) AS "Id",
    CASE u WHEN 0 THEN 'Ada' WHEN 1 THEN 'Integration' ELSE first_latin END AS "FirstName", CASE u WHEN 0 THEN 'Admin' WHEN 1 THEN 'User' ELSE last_latin END AS "LastName",
    CASE u WHEN 0 THEN 'Ada Admin' WHEN 1 THEN 'Integration User' ELSE first_latin || ' ' || last_latin END AS "Name",
    CASE u WHEN 0 THEN 'admin' WHEN 1 THEN 'integration' ELSE first_slug || '.' || last_slug || u END || '@cedarline.example' AS "Username",
    CASE u WHEN 0 THEN 'admin' WHEN 1 THEN 'integration' ELSE first_slug || '.' || last_slug END || '@cedarline.example' AS "Email",
    'u' || lpad(u::VARCHAR, 5, '0') AS "Alias", (u < 2 OR chance(u, 'user.active') < 0.82)::VARCHAR AS "IsActive", 'Standard' AS "UserType",
    pick(['Sales', 'Sales', 'Account Management', 'Marketing', 'Support'], u, 'user.department') AS "Department",
    pick(['Account Executive', 'Sales Representative', 'Sales Manager', 'Customer Success Manager'], u, 'user.title') AS "Title",
    CASE WHEN u > 4 THEN salesforce_id('005', 2 + below(u, 'user.manager', 3)) END AS "ManagerId",
    'USD' AS "CurrencyIsoCode", 'America/New_York' AS "TimeZoneSidKey", 'en_US' AS "LocaleSidKey", 'en_US' AS "LanguageLocaleKey", 'UTF-8' AS "EmailEncodingKey",
    stamp_text(created) AS "CreatedDate", stamp_text(modified) AS "LastModifiedDate", stamp_text(modified) AS "SystemModstamp"
FROM (SELECT *, modified_second(-9 - u, created) AS modified FROM (SELECT u, number('as_of_s') - 86400 * 2600 + u * 86400 * 380 // number('users') AS created FROM range(number('users')) AS t(u)))
LEFT JOIN (SELECT v, getvariable('given_latin')[1 + below(v, 'user.given', 200)] AS first_latin, getvariable('family_latin')[1 + below(v, 'user.family', 300)] AS last_latin,
    slug(getvariable('given_latin')[1 + below(v, 'user.given', 200)]) AS first_slug, slug(getvariable('family_latin')[1 + below(v, 'user.family', 300)]) AS last_slug
    FROM range(number('users')) AS t(v)) ON v = u
