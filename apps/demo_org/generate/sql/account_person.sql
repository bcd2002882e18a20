-- Account.csv, the rest: person accounts (the person and the account in one) and junk.
WITH stamped AS (
    SELECT *, modified_second(k, created) AS modified FROM (SELECT *, created_second(k, seq, number('accounts'), 2200) AS created
        FROM account_slot WHERE kind IN ('person', 'junk'))
), seen AS (
    SELECT s.*, p.*, l.city, l.city_latin, l.state_latin, l.postal_code, y.country_name, y.spellings, y.currency,
        in_script(p.is_script, k, 'person') AS script, stamp_second(k, modified) AS stamp
    FROM stamped AS s LEFT JOIN person AS p ON s.person < number('person_contacts') AND p.v = number('contact_primaries') + s.person
    LEFT JOIN place AS l USING (place) LEFT JOIN country AS y ON y.country = l.country
), named AS (
    SELECT *, first_text(first_name, first_latin, nicknames, script, k, 'person') AS given,
        maybe_typo(CASE WHEN script THEN last_name ELSE latin_or_native(last_name, last_latin, k, 'person') END, k, 'person.last', 0.03) AS family
    FROM seen
)
SELECT id AS "Id", 'false' AS "IsDeleted",
    CASE WHEN v IS NOT NULL THEN given || ' ' || family
        ELSE pick(['test', 'Test Account', '[[unknown]]', 'Not Provided', 'NA', 'None', 'TBD', 'asdf', 'DO NOT USE', '-'], k, 'junk') END AS "Name",
    CASE WHEN v IS NOT NULL THEN 'Customer' END AS "Type",
    (v IS NOT NULL)::VARCHAR AS "IsPersonAccount", given AS "FirstName", family AS "LastName",
    CASE WHEN chance(k, 'salutation') < 0.4 AND v IS NOT NULL THEN CASE WHEN is_female THEN 'Ms.' ELSE 'Mr.' END END AS "Salutation",
    CASE WHEN v IS NOT NULL THEN salesforce_id('003', number('contacts') + person) END AS "PersonContactId",
    CASE WHEN chance(k, 'mail') < 0.7 THEN mail_text(home_mail, k) END AS "PersonEmail",
    CASE WHEN chance(k, 'mobile') < 0.5 THEN phone(dial, trunk, mobile_area, mobile_line, chance(k, 'mobile.style')) END AS "PersonMobilePhone",
    CASE WHEN chance(k, 'home') < 0.3 THEN phone(dial, trunk, area, home_line, chance(k, 'home.style')) END AS "PersonHomePhone",
    CASE WHEN chance(k, 'birth') < 0.3 THEN birthdate::VARCHAR END AS "PersonBirthdate",
    CASE WHEN chance(k, 'street') < 0.7 THEN street_of(street_i, script, house) END AS "PersonMailingStreet",
    CASE WHEN chance(k, 'street') < 0.75 THEN CASE WHEN script THEN city ELSE city_latin END END AS "PersonMailingCity",
    CASE WHEN chance(k, 'street') < 0.75 THEN state_latin END AS "PersonMailingState",
    CASE WHEN chance(k, 'street') < 0.7 THEN postal_code END AS "PersonMailingPostalCode",
    CASE WHEN chance(k, 'street') < 0.72 THEN country_text(country_name, spellings, k) END AS "PersonMailingCountry",
    CASE WHEN chance(k, 'described') < 0.15 THEN free_text(k) END AS "Description",
    coalesce(currency, 'USD') AS "CurrencyIsoCode",
    CASE WHEN ri IS NOT NULL AND chance(k, 'reference.id') < 0.1 THEN person_id(ri) END AS "Reference_Person_Id__c",
    owner_of(k) AS "OwnerId", stamp_text(created) AS "CreatedDate", owner_of(-1 - k) AS "CreatedById",
    stamp_text(modified) AS "LastModifiedDate", owner_of(k) AS "LastModifiedById", stamp_text(stamp) AS "SystemModstamp"
FROM named
