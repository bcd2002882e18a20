SELECT salesforce_id('00B', row_number() OVER ()) AS "Id", * FROM (VALUES
    ('All Accounts', 'AllAccounts', 'Account', 'SELECT Id, Name FROM Account ORDER BY Name ASC NULLS FIRST'),
    ('Customers', 'Customers', 'Account', 'SELECT Id, Name, Phone FROM Account WHERE Type = ''Customer'' ORDER BY Name ASC NULLS FIRST'),
    ('Large Accounts', 'Large_Accounts', 'Account', 'SELECT Id, Name, NumberOfEmployees FROM Account WHERE NumberOfEmployees > 200 ORDER BY NumberOfEmployees DESC NULLS LAST'),
    ('German Accounts', 'German_Accounts', 'Account', 'SELECT Id, Name FROM Account WHERE BillingCountry IN (''Germany'', ''Deutschland'', ''DE'')'),
    ('My Accounts', 'MyAccounts', 'Account', 'SELECT Id, Name FROM Account USING SCOPE mine'),
    ('All Contacts', 'AllContacts', 'Contact', 'SELECT Id, Name FROM Contact ORDER BY Name ASC NULLS FIRST'),
    ('Decision Makers', 'Decision_Makers', 'Contact', 'SELECT Id, Name, Title FROM Contact WHERE Title LIKE ''%Chief%'' OR Title LIKE ''%President%'''),
    ('Contacts without E-mail', 'Contacts_without_Email', 'Contact', 'SELECT Id, Name FROM Contact WHERE Email = null'),
    ('Open Leads', 'Open_Leads', 'Lead', 'SELECT Id, Name, Company FROM Lead WHERE IsConverted = false AND Status LIKE ''Open%'''),
    ('Hot Web Leads', 'Hot_Web_Leads', 'Lead', 'SELECT Id, Name, Company FROM Lead WHERE Rating = ''Hot'' AND LeadSource = ''Web'''),
    ('Open Opportunities', 'Open_Opportunities', 'Opportunity', 'SELECT Id, Name, StageName FROM Opportunity WHERE IsClosed = false')
) AS views("Name", "DeveloperName", "SobjectType", "Query")
