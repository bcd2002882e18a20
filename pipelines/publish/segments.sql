-- Records that could be matched and those that are linked, by the value of one column; departed ones are in no segment.
INSERT INTO ops.link_segment BY NAME
WITH counted AS (
    SELECT coalesce(s."{column}", 'none') AS value, count(*) AS records, count(*) FILTER (c.status = 'linked') AS linked
    FROM crosswalk.{object} c
    JOIN {table} s ON s."{key}" = c.salesforce_id
    WHERE c.status <> 'skipped'
    GROUP BY 1
), ranked AS (
    SELECT *, row_number() OVER (ORDER BY records DESC, value) AS place FROM counted
), named AS (
    SELECT CASE WHEN place <= $most THEN value ELSE 'other' END AS value, records, linked FROM ranked
)
SELECT $run_id AS run_id, $object AS object, $segment AS segment, value, $at::TIMESTAMP AS started_at,
    sum(records)::BIGINT AS records, sum(linked)::BIGINT AS linked, sum(linked) / sum(records) AS link_rate
FROM named GROUP BY value
