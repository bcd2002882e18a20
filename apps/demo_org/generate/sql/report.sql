SELECT salesforce_id('00O', row_number() OVER ()) AS "Id", * FROM (VALUES
    ('Accounts by Industry', 'Accounts_by_Industry', 'SUMMARY', 'Public Reports', 'SELECT Id, Name, Industry FROM Account WHERE Industry != null'),
    ('Partner Accounts', 'Partner_Accounts', 'TABULAR', 'Public Reports', 'SELECT Id, Name FROM Account WHERE Type = ''Partner'''),
    ('Trade Show Contacts', 'Trade_Show_Contacts', 'TABULAR', 'Marketing', 'SELECT Id, Name, Email FROM Contact WHERE LeadSource = ''Trade Show'''),
    ('Converted Leads', 'Converted_Leads', 'TABULAR', 'Marketing', 'SELECT Id, Name, Company FROM Lead WHERE IsConverted = true'),
    ('Won Opportunities', 'Won_Opportunities', 'TABULAR', 'Sales', 'SELECT Id, Name, Amount FROM Opportunity WHERE IsWon = true')
) AS reports("Name", "DeveloperName", "Format", "FolderName", "Query")
