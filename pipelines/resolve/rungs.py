"""The deterministic rungs: what counts as certain, at the cost of a hash join, in the order of the settings.

A rung links only where exactly one entity satisfies it. What speaks against a link (a veto) is part of its test.
"""

from dataclasses import dataclass

import duckdb

from data_contracts.errors import SettingsError
from pipelines.resolve.comparisons import CROWD
from pipelines.resolve.scripts import run_script
from pipelines.resolve.sides import Kind

#: A key shared by more entities than this cannot single one out; it is left to the candidates.
MOST_ENTITIES_PER_KEY = 50
#: Entities one rung proposes to a record where it cannot tell which; beyond it they say nothing.
MOST_HITS = 15


@dataclass(frozen=True)
class Rung:
    """A code, the values that must be equal on both sides (joined), and what else must hold.

    ``certain`` is what must hold beside it for the only entity found to be linked, and not just proposed.
    ``entity_keys`` are the values on the entity's side where they have other names.
    ``uses`` names the comparisons the rung looks at: pairs it finds must not train those.
    """

    code: str
    keys: tuple[str, ...]
    test: str
    uses: frozenset[str]
    meaning: str
    entity_keys: tuple[str, ...] = ()
    certain: str = "true"

    def keys_of(self, side: str) -> tuple[str, ...]:
        """Return the columns of ``left`` or ``right`` that must be equal."""
        return self.entity_keys or self.keys if side == "right" else self.keys


# Equal names are not enough where other evidence is there on both sides and all of it differs.
_SAME_NUMBERS = "(len(l.name_numbers) = 0 OR len(r.name_numbers) = 0 OR l.name_numbers = r.name_numbers)"
_SAME_DOMAIN_OR_UNKNOWN = "coalesce(l.domain = r.domain, true)"
_SAME_COUNTRY_OR_UNKNOWN = "coalesce(l.country_code = r.country_code, true)"
#: Words for a part of a company that has its seat elsewhere, as they stand in a name (plain lower-case ASCII).
BRANCH_WORDS = (
    *("branch", "branches", "zweigniederlassung", "zweigstelle", "niederlassung", "filiale", "geschaftsstelle"),
    *("succursale", "sucursal", "agence", "sede", "filial", "fiok", "pobocka", "oddzial", "filialas", "sube"),
    *("franchise", "franchisee", "outlet", "subsidiary"),
)
_A_BRANCH = ", ".join(f"'{word}'" for word in BRANCH_WORDS)
_BOTH_BRANCH_OR_SEAT = (
    f"list_has_any(coalesce(l.name_tokens, []), [{_A_BRANCH}]) "
    f"= list_has_any(coalesce(r.name_tokens, []), [{_A_BRANCH}])"
)
_NO_VETO = f"{_SAME_NUMBERS} AND {_SAME_DOMAIN_OR_UNKNOWN} AND {_SAME_COUNTRY_OR_UNKNOWN} AND {_BOTH_BRANCH_OR_SEAT}"
# A long common beginning (a mother organisation's name) is no likeness: only a letter or two may differ.
_ALIKE = (
    "(l.name_key = r.name_key OR levenshtein(left(l.name_squashed, 64), left(r.name_squashed, 64)) "
    "<= length(r.name_squashed) // 12)"
)
_LOCALITY = "l.postal_code_clean = r.postal_code_clean, l.city_clean = r.city_clean"
_OWN_PHONE = f"coalesce(l.phone_tail = r.phone_tail AND r.phone_places < {CROWD}, false)"
_SOME_PLACE_AGREES = (
    f"(coalesce({_LOCALITY}, l.phone_tail = r.phone_tail, true) AND coalesce(l.street_name = r.street_name, true) "
    f"OR {_OWN_PHONE})"
)
# Two addresses are two branches, and the other one may be an entity of its own: the candidates are compared.
_NOT_ANOTHER_BRANCH = "coalesce(l.street_number = r.street_number, l.street_name = r.street_name, true)"
_SAME_ADDRESS = "coalesce(l.street_number = r.street_number AND l.street_name = r.street_name, false)"
# What a group's sites share does not tell which site it is: then the place must, and unknown is not enough.
_OWN_DOMAIN = f"(r.domain_places < {CROWD} OR {_SAME_ADDRESS})"
_OWN_NAME = f"(r.name_places < {CROWD} OR {_SAME_ADDRESS} OR {_OWN_PHONE})"
_ANY_WORD = "list_has_any(l.name_tokens, r.name_tokens)"

COMPANY_RUNGS = (
    Rung(
        "ACC_REF_ID",
        ("stored_reference_id",),
        "true",
        frozenset(),
        "the record stores this reference id",
        ("id",),
    ),
    Rung(
        "ACC_DOMAIN_NAME",
        ("domain", "name_key"),
        f"{_SAME_NUMBERS} AND {_SAME_COUNTRY_OR_UNKNOWN}",
        frozenset({"domain", "name"}),
        "same domain and same name",
        certain=_OWN_DOMAIN,
    ),
    Rung(
        "ACC_DOMAIN",
        ("domain",),
        f"{_NO_VETO} AND {_ANY_WORD} AND {_SOME_PLACE_AGREES}",
        frozenset({"domain", "name"}),
        "the only entity of this domain, and the names share a word",
        certain=_OWN_DOMAIN,
    ),
    Rung(
        "ACC_NAME_PHONE",
        ("phone_tail",),
        f"{_ALIKE} AND {_NO_VETO} AND {_NOT_ANOTHER_BRANCH}",
        frozenset({"name", "phone"}),
        "same phone and nearly the same name",
        certain=f"({_OWN_PHONE} OR {_SAME_ADDRESS})",
    ),
    Rung(
        "ACC_NAME_ADDR",
        ("name_key", "street_number", "street_name"),
        _NO_VETO,
        frozenset({"name", "street"}),
        "same name at the same address",
    ),
    Rung(
        "ACC_NAME",
        ("name_key",),
        f"{_SOME_PLACE_AGREES} AND {_NO_VETO} AND {_NOT_ANOTHER_BRANCH}",
        frozenset({"name", "locality"}),
        "the only entity of this name, and nothing known about the place differs",
        certain=_OWN_NAME,
    ),
)

_SAME_FIRST = "(l.first_squashed = r.first_squashed OR list_has_any(l.first_name_canonical, r.first_name_canonical))"
_BIRTH = "coalesce(l.birthdate = r.birthdate, true)"

PERSON_RUNGS = (
    Rung(
        "PER_REF_ID",
        ("stored_reference_id",),
        "true",
        frozenset(),
        "the record stores this reference id",
        ("id",),
    ),
    Rung(
        "PER_EMAIL",
        ("email_clean",),
        "(l.last_squashed IS NULL OR r.last_squashed IS NULL OR list_has_any(l.name_tokens, r.name_tokens) "
        f"OR jaro_winkler_similarity(l.last_squashed, r.last_squashed) >= 0.85) AND {_BIRTH}",
        frozenset({"email"}),
        "same e-mail address, and the names share a part",
    ),
    Rung(
        "PER_NAME_ACCOUNT",
        ("last_squashed", "employer_id"),
        f"{_SAME_FIRST} AND {_BIRTH}",
        frozenset({"last_name", "first_name", "company"}),
        "same name at the same company",
    ),
    *(
        Rung(
            "PER_NAME_COMPANY",
            ("last_squashed", key),
            f"{_SAME_FIRST} AND {_BIRTH}",
            frozenset({"last_name", "first_name", "company"}),
            "same name and same company domain or company name",
        )
        for key in ("employer_domain", "employer_key")
    ),
    *(
        Rung(
            "PER_NAME_PHONE",
            ("last_squashed", key),
            f"{_SAME_FIRST} AND {_BIRTH}",
            frozenset({"last_name", "first_name", "phone"}),
            "same name and same phone or mobile",
        )
        for key in ("phone_tail", "mobile_tail")
    ),
    Rung(
        "PER_NAME_BIRTH",
        ("last_squashed", "birthdate"),
        _SAME_FIRST,
        frozenset({"last_name", "first_name", "birthdate"}),
        "same name and same birth date",
    ),
    Rung(
        "PER_NAME_ADDR",
        ("last_squashed", "street_number", "street_name"),
        f"{_SAME_FIRST} AND {_BIRTH}",
        frozenset({"last_name", "first_name", "street"}),
        "same name at the same address",
    ),
)


def rungs_in_order(kind: Kind, codes: tuple[str, ...] | None) -> tuple[Rung, ...]:
    """Return the rungs of the settings for this kind of entity, in their order; all of them when unset.

    Raises SettingsError for a code that no kind has.
    """
    mine = COMPANY_RUNGS if kind == "company" else PERSON_RUNGS
    if codes is None:
        return mine
    known = {rung.code: rung for rung in (*COMPANY_RUNGS, *PERSON_RUNGS)}
    for code in codes:
        if code not in known:
            raise SettingsError(
                f"matching.rungs names {code}, which is no rung",
                why=f"the rungs are {', '.join(known)}",
                next_step="correct matching.rungs in crosswalk.yaml, or leave it out for all of them",
            )
    return tuple(known[code] for code in codes if known[code] in mine)


def rung_keys(con: duckdb.DuckDBPyConnection, rungs: tuple[Rung, ...], side: str) -> None:
    """Create ``_<side>_rung_key`` (step, h, n): per rung the hash of what must be equal, where all of it is there.

    Two of some million values have the same 64 bits once in millions of runs: the values are not compared again.
    """
    parts = []
    for step, keys in enumerate(rung.keys_of(side) for rung in rungs):
        parts.append(_key_rows(step, keys, f"_{side}"))
        if "name_key" in keys:
            # A former or a second name is a name.
            others = f"FROM _{side} WHERE len(other_names) > 0"
            named = f"(SELECT * EXCLUDE (name_key), unnest(other_names) AS name_key {others})"
            parts.append(_key_rows(step, keys, named))
    nothing = "SELECT NULL::UTINYINT AS step, NULL::UBIGINT AS h, NULL::INTEGER AS n WHERE false"
    con.execute(f"CREATE OR REPLACE TEMP TABLE _{side}_rung_key AS {' UNION ALL '.join([*parts, nothing])}")


def _key_rows(step: int, keys: tuple[str, ...], rows: str) -> str:
    return (
        f"SELECT {step}::UTINYINT AS step, hash({step}, {', '.join(keys)}) AS h, n FROM {rows} "
        f"WHERE {' AND '.join(f'{key} IS NOT NULL' for key in keys)}"
    )


def climb(con: duckdb.DuckDBPyConnection, rungs: tuple[Rung, ...]) -> dict[str, int]:
    """Fill ``_rung_hit`` (l, r, code, step, hits) with what each rung finds, records already linked left out.

    Reads ``_left_rung_key`` and ``_right_rung_key``. A record is linked by the first rung that finds exactly one entity
    (hits = 1); of more hits ``MOST_HITS`` are kept as candidates. A pair forbidden by a decision (``_forbidden``) is
    not a hit. Returns links per rung.
    """
    con.execute(
        "CREATE OR REPLACE TEMP TABLE _rung_hit (l INTEGER, r INTEGER, code VARCHAR, step INTEGER, hits BIGINT)"
    )
    run_script(con, "crowded.sql", most=MOST_ENTITIES_PER_KEY)
    links: dict[str, int] = {}
    for step, rung in enumerate(rungs):
        names = {"code": rung.code, "step": str(step), "test": rung.test, "certain": rung.certain}
        # Two names of one pair may meet.
        names["distinct"] = "DISTINCT" if "name_key" in rung.keys else ""
        run_script(con, "climb.sql", replace=names, most=MOST_HITS)
        found = con.sql(f"SELECT count(*) FROM _rung_hit WHERE step = {step} AND hits = 1").fetchall()[0][0]
        links[rung.code] = links.get(rung.code, 0) + found
    return links


def uses_of(code: str) -> frozenset[str]:
    """Return the comparisons a rung looks at; none for a code that is no rung."""
    return frozenset().union(*(rung.uses for rung in (*COMPANY_RUNGS, *PERSON_RUNGS) if rung.code == code))
