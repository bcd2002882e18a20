-- Contacts before spelling: every slot with its person and the company it is filed under; person accounts' own too.
CREATE VIEW contact_row AS
SELECT s.k, s.kind, s.id, s.master_k, s.v, a.w, a.id AS account_id, a.p < number('matched') AS company_known, a.p,
    created_second(s.k, s.seq, number('contacts'), 2000) AS created
FROM contact_slot AS s JOIN account_slot AS a ON a.k = s.account_k;
