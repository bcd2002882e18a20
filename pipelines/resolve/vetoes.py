"""What speaks against a link however much else agrees; such a pair is never linked without a person.

Neighbours under one roof share address and phone, colleagues also employer and mail domain. A pair that a veto bars
is no match to learn from either.
"""

from pipelines.resolve.sides import Kind

_NOTHING = "the names have nothing in common"
#: SQL over ``l`` and ``r`` (the two sides) and ``a`` (``_name_alike`` of the pair): the reason, or NULL.
VETOES: dict[Kind, str] = {
    "company": (
        "CASE WHEN a.alike < 0.2 AND a.contained < 0.9 AND coalesce(l.domain <> r.domain, true) "
        "AND coalesce(l.acronym <> r.name_squashed, true) AND coalesce(r.acronym <> l.name_squashed, true) "
        f"THEN '{_NOTHING}' END"
    ),
    "person": (
        "CASE WHEN coalesce(l.email_clean <> r.email_clean, true) AND coalesce(l.birthdate <> r.birthdate, true) "
        "AND coalesce(l.employer_id, l.employer_domain, l.employer_key) IS NOT NULL "
        "AND greatest(jaro_winkler_similarity(l.last_squashed, r.last_squashed), "
        "jaro_winkler_similarity(l.last_squashed, r.first_squashed), "
        "jaro_winkler_similarity(l.first_squashed, r.last_squashed)) < 0.75 "
        "AND NOT list_has_any(l.name_tokens, list_filter(r.name_tokens, "
        "lambda w: w <> coalesce(r.first_squashed, ''))) "
        "THEN 'the last names have nothing in common' END"
    ),
}


def alike_join(kind: Kind, left: str, right: str) -> str:
    """Return the join that gives the veto its ``a``; persons need none."""
    return f"LEFT JOIN _name_alike a ON a.l = {left} AND a.r = {right}" if kind == "company" else ""
