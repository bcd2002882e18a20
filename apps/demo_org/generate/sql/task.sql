SELECT salesforce_id('00T', t.k) AS "Id", 'false' AS "IsDeleted", id AS "WhoId", account_id AS "WhatId", account_id AS "AccountId",
    pick(['Call', 'Send quote', 'Follow up', 'Email: re: "your question"', 'Lunch'], t.k, 'task') AS "Subject", pick(['Completed', 'Completed', 'Not Started', 'In Progress'], t.k, 'task.status') AS "Status",
    'Normal' AS "Priority", day_text(t.created + 86400 * 7) AS "ActivityDate", 'USD' AS "CurrencyIsoCode", owner_of(t.k) AS "OwnerId",
    stamp_text(t.created) AS "CreatedDate", owner_of(t.k) AS "CreatedById", stamp_text(t.created) AS "LastModifiedDate", owner_of(t.k) AS "LastModifiedById", stamp_text(t.created) AS "SystemModstamp"
FROM (SELECT k, created_second(-8 - k, k, number('tasks'), 700) AS created, below(k, 'task.contact', number('contacts')) // 100 * 100 + below(k, 'task.contact', number('contacts')) % 100 % 86 AS contact_k
    FROM range(number('tasks')) AS r(k)) AS t
JOIN contact_row AS c ON c.k = t.contact_k
