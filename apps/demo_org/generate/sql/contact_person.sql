-- Contact.csv, the contact half of each person account; it repeats the account's values, as Salesforce does.
SELECT "PersonContactId" AS "Id", "IsDeleted", "Id" AS "AccountId", "IsPersonAccount", "LastName", "FirstName", "Salutation",
    "PersonMailingStreet" AS "MailingStreet", "PersonMailingCity" AS "MailingCity", "PersonMailingState" AS "MailingState",
    "PersonMailingPostalCode" AS "MailingPostalCode", "PersonMailingCountry" AS "MailingCountry", "PersonMobilePhone" AS "MobilePhone",
    "PersonHomePhone" AS "HomePhone", "PersonEmail" AS "Email", "PersonBirthdate" AS "Birthdate", "CurrencyIsoCode",
    "Reference_Person_Id__c", "OwnerId", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp"
FROM account_person WHERE "PersonContactId" IS NOT NULL
