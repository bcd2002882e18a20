-- How every CRM user stands, and why in words.
--
-- Reads _crm_user, _user_match, _mapping (the version in force of every user, from the store), _by_hand (of the
-- settings) and ownership.own_user; $configured says whether the settings name own users.
WITH said AS (
  SELECT c.*, m.* EXCLUDE (salesforce_id), k.act, k.method AS kept_method, k.reason AS kept_reason, k.decided_by,
    k.decided_at, coalesce(k.version, 0) AS mapping_version, h.own_id AS hand_id, k.own_id AS kept_id,
    coalesce(h.own_id, k.own_id) AS said_id
  FROM _crm_user AS c
  LEFT JOIN _user_match AS m USING (salesforce_id)
  LEFT JOIN _mapping AS k USING (salesforce_id)
  LEFT JOIN _by_hand AS h ON h.user_id = left(c.salesforce_id, 15)
), stand AS (
  SELECT s.*, o.user_id IS NOT NULL AS is_there, o.name AS own_name, o.is_active AS own_is_active,
    strftime(s.decided_at, '%Y-%m-%d') AS day,
    CASE
      WHEN hand_id IS NOT NULL THEN 'mapped'
      WHEN act = 'mapped' AND (is_there OR NOT $configured) THEN 'mapped'
      WHEN act = 'unmapped' THEN 'unmapped'
      WHEN act = 'matched' AND is_there THEN 'mapped'
      WHEN act = 'mapped' OR (act = 'matched' AND $configured) THEN 'gone'
      WHEN kind <> 'user' THEN 'not_a_person'
      WHEN NOT $configured THEN 'not_configured'
      WHEN len(candidates) > 0 THEN 'several'
      ELSE 'none'
    END AS status
  FROM said AS s LEFT JOIN ownership.own_user AS o ON o.user_id = s.said_id
), told AS (
  SELECT *,
    status = 'mapped' AND act = 'matched' AND hand_id IS NULL AND len(email_ids) = 1 AND email_ids[1] <> kept_id
      AS moved
  FROM stand
)
SELECT salesforce_id, kind, name, email, is_active, record_count, status,
  kind = 'user' AND (status IN ('several', 'gone') OR moved OR (status = 'none' AND (is_active OR record_count > 0))
    OR (hand_id IS NOT NULL AND $configured AND NOT is_there)) AS needs_person,
  CASE WHEN status = 'mapped' THEN said_id END AS mapped_user,
  CASE WHEN status = 'mapped' THEN own_name END AS mapped_user_name,
  CASE WHEN status = 'mapped' THEN own_is_active END AS mapped_user_is_active,
  CASE WHEN status = 'mapped' THEN CASE WHEN hand_id IS NOT NULL THEN 'settings' ELSE kept_method END END AS method,
  coalesce(candidates, []) AS candidates,
  CASE
    WHEN hand_id IS NOT NULL THEN 'users.by_hand of the settings says so'
      || CASE WHEN $configured AND NOT is_there THEN ', and no own user has this id' ELSE '' END
    WHEN status = 'mapped' AND act = 'mapped' THEN decided_by || ' said so on ' || day || coalesce(': ' || kept_reason, '')
    WHEN status = 'mapped' THEN CASE kept_method WHEN 'email' THEN 'the same e-mail address' ELSE 'the same full name' END
      || ', kept since ' || day
      || CASE WHEN moved THEN '; the e-mail address is now that of another own user' ELSE '' END
    WHEN status = 'unmapped' THEN decided_by || ' said on ' || day || ' that it is none of our users'
      || coalesce(': ' || kept_reason, '')
    WHEN status = 'gone' THEN 'the own user it was mapped to on ' || day || ' is no longer among them'
    WHEN status = 'not_a_person' THEN CASE kind WHEN 'queue' THEN 'a queue'
      || CASE WHEN name = 'Queue ' || salesforce_id THEN '; object group in the settings brings its name' ELSE '' END WHEN 'system' THEN 'an automated user'
      WHEN 'portal' THEN 'a portal user' ELSE 'an owner the CRM does not show' END
    WHEN status = 'not_configured' THEN 'the settings name no own users (users.source or users.table)'
    WHEN len(email_ids) > 1 THEN len(email_ids) || ' own users have its e-mail address'
    WHEN len(name_ids) > 1 THEN len(name_ids) || ' own users have its full name, and none its e-mail address'
    WHEN contested THEN 'an own user has its full name, which fits another CRM user too'
    ELSE 'no own user has its e-mail address or full name'
  END
  || CASE WHEN kind = 'user' AND NOT is_active THEN '; inactive in Salesforce' ELSE '' END AS reason,
  CASE WHEN hand_id IS NOT NULL THEN 'settings' WHEN status IN ('mapped', 'unmapped', 'gone') THEN decided_by END
    AS decided_by,
  CASE WHEN hand_id IS NULL AND status IN ('mapped', 'unmapped', 'gone') THEN decided_at END AS decided_at,
  mapping_version
FROM told
