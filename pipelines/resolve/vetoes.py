"""What speaks against a link however much else agrees; such a pair is never linked without a person.

Neighbours under one roof share address and phone, colleagues also employer and mail domain. A pair that a veto bars
is no match to learn from either.
"""

from pipelines.resolve.sides import Kind

_NOTHING = "the names have nothing in common"
_PART = "one name is only part of the other, and nothing else agrees"
#: Where a name is all there is, one that holds it is a sister, a branch or a stranger as often as the company itself:
#: among millions of names each short one is part of another by chance.
_ALONE = " AND ".join(
    f"coalesce(l.{column} <> r.{column}, true)"
    for column in ("name_key", "domain", "phone_tail", "street_name", "postal_code_clean", "city_clean")
)
#: Two names below this likeness are two names; typing errors and spellings stay above it.
_ALIKE = 0.75
#: What is a person's own, unlike the address, phone and employer that colleagues and families share.
_PERSONAL = "(coalesce(l.email_clean = r.email_clean, false) OR coalesce(l.birthdate = r.birthdate, false))"
#: In short names one letter is much of the likeness: Fox and Fxo are one last name, Li and Lu are two; and so are Amy
#: and May among first names.
_ONE_LETTER = (
    "(length(l.{name}) >= {least} AND length(r.{name}) >= {least} AND damerau_levenshtein(l.{name}, r.{name}) <= 1)"
)
_UNLIKE_LAST = (
    # Who has one name alone may have another one as well.
    "l.last_squashed IS NOT NULL AND r.last_squashed IS NOT NULL "
    "AND greatest(jaro_winkler_similarity(l.last_squashed, r.last_squashed), "
    "jaro_winkler_similarity(l.last_squashed, r.first_squashed), "
    f"jaro_winkler_similarity(l.first_squashed, r.last_squashed)) < {_ALIKE} "
    f"AND NOT {_ONE_LETTER.format(name='last_squashed', least=3)} "
    "AND NOT list_has_any(l.name_tokens, list_filter(r.name_tokens, lambda w: w <> coalesce(r.first_squashed, '')))"
)
_UNLIKE_FIRST = (
    f"jaro_winkler_similarity(l.first_squashed, r.first_squashed) < {_ALIKE} "
    f"AND NOT {_ONE_LETTER.format(name='first_squashed', least=4)} "
    f"AND coalesce(jaro_winkler_similarity(l.first_squashed, r.last_squashed) < {_ALIKE}, true) "
    f"AND coalesce(jaro_winkler_similarity(l.last_squashed, r.first_squashed) < {_ALIKE}, true) "
    "AND NOT starts_with(l.first_squashed, left(r.first_squashed, 1)) "
    "AND NOT coalesce(list_has_any(l.first_name_canonical, r.first_name_canonical), false) "
    "AND NOT list_has_any(l.name_tokens, list_filter(r.name_tokens, lambda w: w <> coalesce(r.last_squashed, '')))"
)
#: SQL over ``l`` and ``r`` (the two sides) and ``a`` (``_name_alike`` of the pair): the reason, or NULL.
VETOES: dict[Kind, str] = {
    "company": (
        "CASE WHEN a.alike < 0.2 AND a.contained < 0.9 AND coalesce(l.domain <> r.domain, true) "
        "AND coalesce(l.acronym <> r.name_squashed, true) AND coalesce(r.acronym <> l.name_squashed, true) "
        # Words torn apart at other places: van der Bilt, Vanderbilt.
        "AND jaro_winkler_similarity(l.name_squashed, r.name_squashed) < 0.92 "
        f"THEN '{_NOTHING}' WHEN a.contained >= 0.9 AND a.alike < 0.92 AND {_ALONE} THEN '{_PART}' END"
    ),
    "person": (
        f"CASE WHEN {_PERSONAL} THEN NULL "
        "WHEN coalesce(l.last_squashed, l.first_squashed) IS NULL "
        "OR coalesce(r.last_squashed, r.first_squashed) IS NULL "
        "THEN 'one of them has no name to compare' "
        "WHEN coalesce(l.employer_id, l.employer_domain, l.employer_key) IS NULL THEN NULL "
        f"WHEN {_UNLIKE_LAST} THEN 'the last names have nothing in common' "
        f"WHEN {_UNLIKE_FIRST} THEN 'the first names have nothing in common' END"
    ),
}


def alike_join(kind: Kind, left: str, right: str) -> str:
    """Return the join that gives the veto its ``a``; persons need none."""
    return f"LEFT JOIN _name_alike a ON a.l = {left} AND a.r = {right}" if kind == "company" else ""
