-- Account.csv, the companies: what years of typing, imports and mergers leave of them.
WITH seen AS (
    SELECT s.*, c.* EXCLUDE (w), o.city AS old_city, o.city_latin AS old_city_latin, o.postal_code AS old_postal,
        created_second(k, s.seq, number('accounts'), 2200) AS created, c.head_kind = 'city' OR c.parent_w IS NOT NULL AS keep_name,
        chance(k, 'native') < CASE WHEN c.is_script THEN 0.45 ELSE 0.75 END AS native,
        s.kind = 'branch' OR chance(k, 'stale') < 0.08 AS stale,
        account_of_rank(parent.r) AS parent_p
    FROM account_slot AS s JOIN company AS c ON c.w = s.w
    LEFT JOIN place AS o ON o.place = c.city_at + below(s.k, 'old.place', c.city_n)
    LEFT JOIN (SELECT w, r FROM company) AS parent ON parent.w = c.parent_w
    WHERE s.kind NOT IN ('person', 'junk')
), based AS (
    SELECT *, modified_second(k, created) AS modified,
        CASE WHEN chance(k, 'former') < 0.4 AND former_name IS NOT NULL THEN former_name
            WHEN chance(k, 'former') < 0.5 AND former_name IS NOT NULL THEN name_latin || ' (formerly ' || former_name || ')'
            WHEN native THEN name ELSE name_latin END AS base,
        CASE WHEN chance(k, 'legal') < 0.42 THEN '' WHEN chance(k, 'legal') < 0.72 THEN
                ' ' || CASE WHEN native THEN getvariable('legal_native')[legal_i] ELSE getvariable('legal_latin')[legal_i] END
            ELSE ' ' || spelled(getvariable('legal_native')[legal_i], getvariable('legal_extra')[legal_i], k, 'legal.spelling') END AS legal
    FROM seen
), worded AS (
    SELECT *, CASE
            WHEN chance(k, 'name.style') < 0.03 THEN replace(base, ' & ', ' and ')
            WHEN chance(k, 'name.style') < 0.07 THEN replace(replace(replace(base, ' International', ' Intl'), ' Services', ' Svcs'), ' Manufacturing', ' Mfg')
            WHEN chance(k, 'name.style') < 0.09 AND culture = 'en' THEN 'The ' || base
            WHEN chance(k, 'name.style') < 0.11 AND NOT keep_name THEN head_latin
            ELSE base END || replace(legal, ' ,', ',')
            || CASE WHEN kind = 'branch' OR (kinship = 'chain' AND chance(k, 'chain.city') < 0.7)
                THEN pick([' - ', ', ', ' '], k, 'branch.join') || CASE WHEN kind = 'branch' THEN old_city_latin ELSE city_latin END ELSE '' END AS full_name,
        CASE WHEN stale THEN street_of(street_at + 1 + below(k, 'old.street', street_n), native, 1 + below(k, 'old.house', 300))
            WHEN chance(k, 'street.short') < 0.3 THEN shorter(street_of(street_i, native, house)) ELSE street_of(street_i, native, house) END AS street_line,
        stamp_second(k, modified) AS stamp
    FROM based
)
SELECT id AS "Id", is_gone(kind) AS "IsDeleted", account_id(master_k) AS "MasterRecordId",
    CASE WHEN chance(k, 'case') < 0.07 THEN upper(full_name) WHEN chance(k, 'case') < 0.09 THEN lower(full_name)
        WHEN chance(k, 'case') < 0.105 THEN '  ' || full_name || ' '
        WHEN chance(k, 'case') < 0.12 THEN full_name || pick([' (DUPLICATE)', ' *DO NOT USE*', ' - old', ' "HQ"'], k, 'mark')
        ELSE maybe_typo(full_name, k, 'name', 0.06) END AS "Name",
    pick(['Customer', 'Prospect', 'Prospect', 'Partner', 'Former Customer', 'Vendor'], k, 'type') AS "Type",
    CASE WHEN parent_p IS NOT NULL AND chance(k, 'parent') < 0.7 THEN account_id(primary_account_k(parent_p)) END AS "ParentId",
    CASE WHEN chance(k, 'street') < 0.82 THEN street_line || CASE WHEN chance(k, 'floor') < 0.14 THEN chr(10) || floor_line(k, 'floor.line') ELSE '' END
        WHEN chance(k, 'street') < 0.83 THEN pick(['NA', 'N/A', 'None', 'Not Provided'], k, 'street.junk') END AS "BillingStreet",
    CASE WHEN chance(k, 'city') < 0.88 THEN maybe_typo(CASE WHEN stale AND native THEN old_city WHEN stale THEN old_city_latin WHEN native THEN city ELSE city_latin END, k, 'city', 0.02) END AS "BillingCity",
    CASE WHEN chance(k, 'city') < 0.85 THEN CASE WHEN native THEN state ELSE state_latin END END AS "BillingState",
    CASE WHEN chance(k, 'postal') < 0.8 THEN CASE WHEN stale THEN old_postal WHEN chance(k, 'postal.zero') < 0.3 AND country = 'US' THEN ltrim(postal_code, '0') ELSE postal_code END END AS "BillingPostalCode",
    CASE WHEN chance(k, 'country') < 0.8 THEN country_text(country_name, spellings, k) END AS "BillingCountry",
    CASE WHEN chance(k, 'phone') < 0.7 THEN CASE WHEN kind = 'branch' OR chance(k, 'phone.old') < 0.08
            THEN phone(dial, trunk, area, line_digits(k, 'phone.other', length(line)), chance(k, 'phone.style'))
            ELSE phone(dial, trunk, area, line, chance(k, 'phone.style')) END
        WHEN chance(k, 'phone') < 0.71 THEN pick(['N/A', 'none', '0', '000-000-0000', '+'], k, 'phone.junk') END AS "Phone",
    CASE WHEN chance(k, 'fax') < 0.08 THEN phone(dial, trunk, area, line_digits(k, 'fax', length(line)), chance(k, 'fax.style')) END AS "Fax",
    website_text(CASE WHEN chance(k, 'former') < 0.4 AND former_name IS NOT NULL AND chance(k, 'former.domain') < 0.5
        THEN slug(former_name) || '.com' ELSE domain END, k) AS "Website",
    CASE WHEN chance(k, 'industry') < 0.55 THEN industry END AS "Industry",
    CASE WHEN chance(k, 'revenue') < 0.3 THEN round(employees * 90000 * (0.3 + chance(k, 'revenue.n')), -3)::BIGINT END AS "AnnualRevenue",
    CASE WHEN chance(k, 'employees') < 0.4 THEN greatest(1, round(employees * (0.7 + 0.6 * chance(k, 'employees.n'))))::BIGINT END AS "NumberOfEmployees",
    CASE WHEN chance(k, 'described') < 0.25 THEN free_text(k) END AS "Description",
    pick(['Web', 'Trade Show', 'Partner Referral', 'Purchased List', 'Other'], k, 'source') AS "AccountSource",
    CASE WHEN chance(k, 'number') < 0.3 THEN lpad(k::VARCHAR, 8, '0') END AS "AccountNumber",
    CASE WHEN chance(k, 'currency') < 0.9 THEN currency ELSE 'USD' END AS "CurrencyIsoCode",
    CASE WHEN r < number('companies') AND chance(k, 'reference.id') < 0.1 THEN company_id(r) END AS "Reference_Company_Id__c",
    'false' AS "IsPersonAccount", owner_of(k) AS "OwnerId", stamp_text(created) AS "CreatedDate", owner_of(-1 - k) AS "CreatedById",
    stamp_text(modified) AS "LastModifiedDate", owner_of(k) AS "LastModifiedById", stamp_text(stamp) AS "SystemModstamp",
    CASE WHEN chance(k, 'active') < 0.5 THEN day_text(modified) END AS "LastActivityDate"
FROM worded
