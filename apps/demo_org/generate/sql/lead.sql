-- Lead.csv: strangers, people already known as contacts, converted leads, junk from web forms.
WITH seen AS (
    SELECT s.k, s.kind, s.id, s.master_k, s.v, s.contact_k, number('contact_primaries') AS cp, created_second(s.k + 7, s.seq, number('leads'), 1400) AS created,
        p.* EXCLUDE (v, w), in_script(p.is_script, s.k, 'lead') AS script, ct.id AS contact_id, ct.account_id,
        c.w, c.r, c.name, c.name_latin, c.is_script AS company_script, c.legal_i, c.domain, c.mail_style, c.dial AS work_dial, c.trunk AS work_trunk, c.area AS work_area,
        c.line AS work_line, c.street_i AS work_street_i, c.house AS work_house, c.city_latin AS work_city, c.state_latin AS work_state,
        c.postal_code AS work_postal, c.country_name AS work_country, c.spellings, c.currency, c.industry
    FROM lead_slot AS s LEFT JOIN person AS p ON p.v = s.v AND s.kind <> 'junk'
    LEFT JOIN contact_row AS ct ON ct.k = s.contact_k
    LEFT JOIN company AS c ON c.w = p.w
), stamped AS (
    SELECT *, modified_second(-2 - k, created) AS modified,
        CASE WHEN company_script AND chance(k, 'company.native') < 0.4 THEN name ELSE name_latin END
            || CASE WHEN chance(k, 'legal') < 0.3 THEN ' ' || getvariable('legal_latin')[legal_i] ELSE '' END AS company_text
    FROM seen
)
SELECT id AS "Id", is_gone(kind) AS "IsDeleted", lead_id(master_k) AS "MasterRecordId",
    CASE WHEN kind = 'junk' THEN pick(['test', '[[unknown]]', 'Not Provided', 'asdf', 'NA', 'None', 'Lastname'], k, 'junk')
        WHEN script THEN last_name WHEN chance(k, 'case') < 0.05 THEN lower(last_latin) WHEN chance(k, 'case') < 0.08 THEN upper(last_latin)
        ELSE maybe_typo(latin_or_native(last_name, last_latin, k, 'lead'), k, 'last', 0.05) END AS "LastName",
    CASE WHEN kind = 'junk' THEN pick(['test', 'asdf', NULL, 'Test'], k, 'junk.first') WHEN chance(k, 'first') < 0.08 THEN NULL
        WHEN chance(k, 'case') < 0.05 THEN lower(first_latin) ELSE first_text(first_name, first_latin, nicknames, script, k, 'lead') END AS "FirstName",
    CASE WHEN kind = 'junk' THEN pick(['test', '[[unknown]]', 'Not Provided', 'N/A', 'self', '-'], k, 'junk.company')
        WHEN chance(k, 'company') < 0.06 THEN pick(['Not Provided', '[[unknown]]', 'N/A', 'Self', 'None', 'private'], k, 'company.none')
        WHEN chance(k, 'company') < 0.12 THEN upper(company_text) WHEN chance(k, 'company') < 0.18 THEN lower(company_text)
        ELSE maybe_typo(company_text, k, 'company', 0.06) END AS "Company",
    CASE WHEN kind = 'junk' THEN pick(['test@test.com', 'asdf@asdf.com', NULL, 'a@b.c'], k, 'junk.mail')
        WHEN chance(k, 'mail') < 0.52 THEN mail_text(local_part(mail_style, first_slug, last_slug) || '@' || domain, k + 3)
        WHEN chance(k, 'mail') < 0.8 THEN mail_text(home_mail, k + 3) END AS "Email",
    CASE WHEN chance(k, 'phone') < 0.25 THEN phone(work_dial, work_trunk, work_area, work_line, chance(k, 'phone.style'))
        WHEN chance(k, 'phone') < 0.4 THEN phone(dial, trunk, mobile_area, mobile_line, chance(k, 'phone.style'))
        WHEN chance(k, 'phone') < 0.42 THEN pick(['0', '123456', 'n/a'], k, 'phone.junk') END AS "Phone",
    CASE WHEN chance(k, 'mobile') < 0.25 THEN phone(dial, trunk, mobile_area, mobile_line, chance(k, 'mobile.style')) END AS "MobilePhone",
    CASE WHEN chance(k, 'title') < 0.5 THEN spelled(getvariable('title')[title_i], getvariable('title_extra')[title_i] || ';' || getvariable('title')[title_i], k, 'title.which') END AS "Title",
    CASE WHEN chance(k, 'street') < 0.35 THEN street_of(work_street_i, script, work_house) END AS "Street",
    CASE WHEN chance(k, 'street') < 0.5 THEN maybe_typo(work_city, k, 'city', 0.03) END AS "City",
    CASE WHEN chance(k, 'street') < 0.45 THEN work_state END AS "State",
    CASE WHEN chance(k, 'street') < 0.4 THEN work_postal END AS "PostalCode",
    CASE WHEN chance(k, 'country') < 0.6 THEN country_text(work_country, spellings, k) END AS "Country",
    CASE WHEN chance(k, 'website') < 0.2 THEN website_text(domain, k) END AS "Website",
    CASE WHEN chance(k, 'industry') < 0.3 THEN industry END AS "Industry",
    CASE WHEN kind = 'converted' THEN 'Closed - Converted' ELSE pick(['Open - Not Contacted', 'Open - Not Contacted', 'Working - Contacted', 'Closed - Not Converted'], k, 'status') END AS "Status",
    pick(['Hot', 'Warm', 'Cold', NULL], k, 'rating') AS "Rating",
    pick(['Web', 'Web', 'Trade Show', 'Phone Inquiry', 'Purchased List', 'Partner Referral'], k, 'source') AS "LeadSource",
    CASE WHEN chance(k, 'described') < 0.15 THEN free_text(k) END AS "Description",
    coalesce(currency, 'USD') AS "CurrencyIsoCode",
    (kind = 'converted')::VARCHAR AS "IsConverted",
    CASE WHEN kind = 'converted' THEN day_text(modified) END AS "ConvertedDate",
    CASE WHEN kind = 'converted' THEN account_id END AS "ConvertedAccountId",
    CASE WHEN kind = 'converted' THEN contact_id END AS "ConvertedContactId",
    CASE WHEN ri IS NOT NULL AND chance(k, 'reference.id') < 0.03 THEN person_id(ri) END AS "Reference_Person_Id__c",
    CASE WHEN kind <> 'converted' AND chance(k, 'queued') < 0.12 THEN queue_of(k) ELSE owner_of(k + 11) END AS "OwnerId",
    stamp_text(created) AS "CreatedDate", owner_of(-1 - k) AS "CreatedById",
    stamp_text(modified) AS "LastModifiedDate", owner_of(k) AS "LastModifiedById", stamp_text(stamp_second(-2 - k, modified)) AS "SystemModstamp"
FROM stamped
