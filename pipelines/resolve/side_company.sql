-- One side of company matching: keys as integers, in the order of the ids so that every run numbers alike.
SELECT row_number() OVER (ORDER BY {key})::INTEGER AS n,
    {key} AS id,
    * EXCLUDE ({key}, domain),
    CASE WHEN NOT domain_is_shared THEN domain END AS domain,
    replace(name_core, ' ', '') AS name_squashed,
    right(regexp_replace(phone, '[^0-9]', '', 'g'), 9) AS phone_tail
FROM standard.{table}
