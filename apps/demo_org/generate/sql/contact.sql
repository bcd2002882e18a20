-- Contact.csv, people at companies.
WITH seen AS (
    SELECT s.*, modified_second(-1 - s.k, s.created) AS modified, p.* EXCLUDE (v, w), in_script(p.is_script, s.k, 'contact') AS script,
        c.domain, c.mail_style, c.dial AS work_dial, c.trunk AS work_trunk, c.area AS work_area, c.line AS work_line, c.street_i AS work_street_i, c.house AS work_house,
        c.city AS work_city, c.city_latin AS work_city_latin, c.state_latin AS work_state, c.postal_code AS work_postal, c.country_name AS work_country, c.spellings, c.currency,
        l.city_latin AS home_city, l.state_latin AS home_state, l.postal_code AS home_postal, y.country_name AS home_country,
        CASE WHEN chance(s.k, 'where') < 0.5 THEN 'work' WHEN chance(s.k, 'where') < 0.7 THEN 'home' END AS where_at
    FROM contact_row AS s JOIN company AS c USING (w) LEFT JOIN person AS p ON p.v = s.v
    LEFT JOIN place AS l ON l.place = p.place LEFT JOIN country AS y ON y.country = l.country
)
SELECT id AS "Id", is_gone(kind) AS "IsDeleted", contact_id(master_k) AS "MasterRecordId",
    CASE WHEN kind = 'junk' AND chance(k, 'lost') < 0.3 THEN NULL ELSE account_id END AS "AccountId", 'false' AS "IsPersonAccount",
    CASE WHEN kind = 'junk' THEN pick(['test', '[[unknown]]', 'Not Provided', 'NA', 'Unknown', 'Accounts Payable', '.'], k, 'junk')
        WHEN chance(k, 'case') < 0.03 THEN upper(last_name) WHEN chance(k, 'case') < 0.05 THEN lower(last_latin)
        WHEN script THEN last_name
        WHEN is_female AND chance(k, 'married') < 0.03 THEN common(getvariable('family_latin')[1:300], k, 'married.name')
        ELSE maybe_typo(latin_or_native(last_name, last_latin, k, 'contact'), k, 'last', 0.04) END AS "LastName",
    CASE WHEN kind = 'junk' THEN pick(['test', NULL, 'Test', 'NA'], k, 'junk.first') WHEN chance(k, 'first') < 0.04 THEN NULL
        WHEN chance(k, 'case') < 0.03 THEN upper(first_latin)
        ELSE first_text(first_name, first_latin, nicknames, script, k, 'contact')
            || CASE WHEN chance(k, 'middle') < 0.05 AND NOT script THEN ' ' || middle || '.' ELSE '' END END AS "FirstName",
    CASE WHEN chance(k, 'salutation') < 0.3 AND v IS NOT NULL THEN CASE WHEN title_i = 27 THEN 'Dr.' WHEN is_female THEN 'Ms.' ELSE 'Mr.' END END AS "Salutation",
    CASE where_at WHEN 'work' THEN street_of(work_street_i, script, work_house) || CASE WHEN chance(k, 'floor') < 0.1 THEN chr(10) || floor_line(k, 'floor.line') ELSE '' END
        WHEN 'home' THEN street_of(street_i, script, house) END AS "MailingStreet",
    CASE where_at WHEN 'work' THEN maybe_typo(work_city_latin, k, 'city', 0.02) WHEN 'home' THEN home_city END AS "MailingCity",
    CASE where_at WHEN 'work' THEN work_state WHEN 'home' THEN home_state END AS "MailingState",
    CASE where_at WHEN 'work' THEN work_postal WHEN 'home' THEN home_postal END AS "MailingPostalCode",
    CASE where_at WHEN 'work' THEN country_text(work_country, spellings, k) WHEN 'home' THEN home_country END AS "MailingCountry",
    CASE WHEN chance(k, 'phone') < 0.4 THEN phone(work_dial, work_trunk, work_area, work_line, chance(k, 'phone.style'))
            || CASE WHEN chance(k, 'extension') < 0.2 THEN pick([' x', ' ext. ', ' Ext '], k, 'extension.how') || (100 + below(k, 'extension.n', 900)) ELSE '' END
        WHEN chance(k, 'phone') < 0.65 THEN phone(work_dial, work_trunk, work_area, substr(work_line, 1, length(work_line) - 2) || lpad(below(v, 'direct', 100)::VARCHAR, 2, '0'), chance(k, 'phone.style'))
        WHEN chance(k, 'phone') < 0.66 THEN 'N/A' END AS "Phone",
    CASE WHEN v IS NOT NULL AND chance(k, 'mobile') < 0.4 THEN phone(dial, trunk, mobile_area, mobile_line, chance(k, 'mobile.style')) END AS "MobilePhone",
    CASE WHEN v IS NOT NULL AND chance(k, 'home') < 0.04 THEN phone(dial, trunk, area, home_line, chance(k, 'home.style')) END AS "HomePhone",
    CASE WHEN kind = 'junk' THEN pick([NULL, 'test@test.com', 'noemail@none.com', 'na@na.na'], k, 'junk.mail')
        WHEN chance(k, 'mail') < 0.6 THEN mail_text(local_part(mail_style, first_slug, last_slug) || '@' || domain, k)
        WHEN chance(k, 'mail') < 0.72 THEN mail_text(home_mail, k)
        WHEN chance(k, 'mail') < 0.75 THEN pick(['info', 'office', 'sales', 'accounting'], k, 'role') || '@' || domain END AS "Email",
    CASE WHEN chance(k, 'title') < 0.65 THEN CASE WHEN chance(k, 'title.spelling') < 0.35
            THEN spelled(getvariable('title')[title_i], getvariable('title_extra')[title_i], k, 'title.which') ELSE getvariable('title')[title_i] END END AS "Title",
    CASE WHEN chance(k, 'department') < 0.25 THEN pick(['Sales', 'Finance', 'IT', 'Operations', 'Marketing', 'Purchasing'], k, 'department.which') END AS "Department",
    CASE WHEN chance(k, 'birth') < 0.06 THEN birthdate::VARCHAR END AS "Birthdate",
    pick(['Web', 'Trade Show', 'Phone Inquiry', 'Purchased List', 'Partner Referral', NULL], k, 'source') AS "LeadSource",
    CASE WHEN chance(k, 'described') < 0.12 THEN free_text(k) END AS "Description",
    currency AS "CurrencyIsoCode",
    CASE WHEN ri IS NOT NULL AND chance(k, 'reference.id') < 0.07 THEN person_id(ri) END AS "Reference_Person_Id__c",
    (chance(k, 'opt.out') < 0.08)::VARCHAR AS "HasOptedOutOfEmail",
    owner_of(k) AS "OwnerId", stamp_text(created) AS "CreatedDate", owner_of(-1 - k) AS "CreatedById",
    stamp_text(modified) AS "LastModifiedDate", owner_of(k) AS "LastModifiedById", stamp_text(stamp_second(-1 - k, modified)) AS "SystemModstamp"
FROM seen
