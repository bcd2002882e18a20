"""What the model compares, level by level, as SQL over the two sides' columns (``…_l`` and ``…_r``).

A level is the first whose condition holds. Levels say how alike two values are, never how much that weighs: the
weights are trained. Fields that stand and fall together (postal code and city) share one comparison, so that one
agreement is not counted twice.
"""

from dataclasses import dataclass, replace

from pipelines.resolve.sides import Kind


@dataclass(frozen=True)
class Level:
    """One degree of agreement; ``start`` is what its share among matches is assumed to be before training.

    A ``silent`` one weighs nothing: another comparison says the same already.
    """

    label: str
    condition: str
    start: float
    silent: bool = False


@dataclass(frozen=True)
class Comparison:
    """A comparison: the columns it needs, when there is nothing to compare, and its levels from best to worst."""

    name: str
    columns: tuple[str, ...]
    absent: str
    levels: tuple[Level, ...]
    rest: float = 0.05

    @property
    def starts(self) -> tuple[float, ...]:
        """Assumed shares of the levels among matches, the last one (nothing alike) included."""
        shares = [*(level.start for level in self.levels), self.rest]
        return tuple(share / sum(shares) for share in shares)

    @property
    def speaks(self) -> tuple[bool, ...]:
        """Whether each level weighs anything, the last one included."""
        return (*(not level.silent for level in self.levels), True)


#: Names whose words weigh this much together are hardly ever shared by chance.
_TELLING = "0.8"

#: So many places that share a number, a domain or an address make it say less: a switchboard, an office building.
CROWD = 2

_NAME = Comparison(
    "name",
    ("name_key", "name_squashed", "name_numbers", "acronym", "total", "names"),
    "name_key_l IS NULL OR name_key_r IS NULL",
    (
        Level("same, telling", f"name_key_l = name_key_r AND total_r >= {_TELLING}", 0.45),
        Level("same, common words", "name_key_l = name_key_r", 0.1),
        Level(
            "a letter or two off",
            # The cheap test first: most candidates differ in length, and the others are asked of every one of them.
            "abs(least(length(name_squashed_l), 64) - least(length(name_squashed_r), 64)) "
            "<= greatest(1, length(name_squashed_r) // 10) "
            "AND same_numbers(name_numbers_l, name_numbers_r) "
            "AND jaro_winkler_similarity(name_squashed_l, name_squashed_r) >= 0.92 "
            "AND near(left(name_squashed_l, 64), left(name_squashed_r, 64), "
            "greatest(1, length(name_squashed_r) // 10))",
            0.1,
        ),
        # Mernatazo and Mernatawi Services are alike too, and two companies.
        Level(
            "every word alike",
            "same_numbers(name_numbers_l, name_numbers_r) AND names_alike(names_l, n_r) >= 0.92",
            0.04,
        ),
        Level(
            "one in the other, telling",
            f"same_numbers(name_numbers_l, name_numbers_r) AND names_contained(names_l, n_r) >= 0.9 "
            f"AND names_shared(names_l, n_r) >= {_TELLING}",
            0.1,
        ),
        # Sites of one organisation: "Erie House Maria Guerrero", "Erie House Iraida Garriga".
        Level(
            "half the same, each with a telling word of its own",
            f"names_alike(names_l, n_r) >= 0.45 AND names_own(names_l, n_r) >= {_TELLING}",
            0.03,
        ),
        Level("mostly the same", "names_alike(names_l, n_r) >= 0.7", 0.08),
        Level(
            "one in the other or its initials",
            "names_contained(names_l, n_r) >= 0.9 OR acronym_l = name_squashed_r OR acronym_r = name_squashed_l",
            0.06,
        ),
        Level("half the same", "names_alike(names_l, n_r) >= 0.45", 0.05),
        Level("a little the same", "names_alike(names_l, n_r) >= 0.2", 0.03),
    ),
    0.03,
)
_DOMAIN = Comparison(
    "domain",
    ("domain", "domain_places"),
    "domain_l IS NULL OR domain_r IS NULL",
    (
        Level("same, one company's", f"domain_l = domain_r AND domain_places_r < {CROWD}", 0.75),
        Level("same, shared by several", "domain_l = domain_r", 0.1),
        Level(
            "same before the suffix",
            "left(domain_l, 2) = left(domain_r, 2) AND split_part(domain_l, '.', 1) = split_part(domain_r, '.', 1)",
            0.05,
        ),
    ),
    0.1,
)
_PHONE = Comparison(
    "phone",
    ("phone_tail", "phone_places"),
    "phone_tail_l IS NULL OR phone_tail_r IS NULL",
    (
        Level("same, one place's", f"phone_tail_l = phone_tail_r AND phone_places_r < {CROWD}", 0.65),
        Level("same, shared by several", "phone_tail_l = phone_tail_r", 0.1),
        Level(
            "last seven digits", "length(phone_tail_l) > 7 AND right(phone_tail_l, 7) = right(phone_tail_r, 7)", 0.03
        ),
        Level("one digit off", "near(phone_tail_l, phone_tail_r, 1)", 0.05),
        Level("same hundred", "left(phone_tail_l, -2) = left(phone_tail_r, -2)", 0.04),
    ),
    0.17,
)
_STREET = Comparison(
    "street",
    ("street_number", "street_name"),
    "(street_name_l IS NULL OR street_name_r IS NULL) AND (street_number_l IS NULL OR street_number_r IS NULL)",
    (
        Level("same", "street_name_l = street_name_r AND street_number_l = street_number_r", 0.65),
        Level(
            "same number, street alike",
            "street_number_l = street_number_r AND (jaro_winkler_similarity(street_name_l, street_name_r) >= 0.85 "
            "OR contains(street_name_l, street_name_r) OR contains(street_name_r, street_name_l))",
            0.12,
        ),
        Level(
            "same street",
            "street_name_l = street_name_r OR jaro_winkler_similarity(street_name_l, street_name_r) >= 0.9",
            0.1,
        ),
        Level("same number", "street_number_l = street_number_r", 0.03),
    ),
    0.1,
)
_SAME_STREET = _STREET.levels[0]
# An office building: that many companies have the address says little of which one it is.
_COMPANY_STREET = replace(
    _STREET,
    columns=(*_STREET.columns, "street_places"),
    levels=(
        Level("same, one company's", f"{_SAME_STREET.condition} AND street_places_r < {CROWD}", 0.55),
        Level("same, shared by several", _SAME_STREET.condition, 0.1),
        *_STREET.levels[1:],
    ),
)
_CITY = "(city_clean_l = city_clean_r OR jaro_winkler_similarity(city_clean_l, city_clean_r) >= 0.9)"
_LOCALITY = Comparison(
    "locality",
    ("postal_code_clean", "city_clean", "state_clean", "country_code"),
    "(postal_code_clean_l IS NULL OR postal_code_clean_r IS NULL) AND (city_clean_l IS NULL OR city_clean_r IS NULL) "
    "AND (state_clean_l IS NULL OR state_clean_r IS NULL) AND coalesce(country_code_l = country_code_r, true)",
    (
        Level("other country", "country_code_l <> country_code_r", 0.02),
        Level("postal code and city", "postal_code_clean_l = postal_code_clean_r AND city_clean_l = city_clean_r", 0.5),
        Level(
            "postal code",
            "postal_code_clean_l = postal_code_clean_r",
            0.2,
        ),
        Level(
            "postal code nearly",
            "near(postal_code_clean_l, postal_code_clean_r, 1) "
            "AND coalesce(jaro_winkler_similarity(city_clean_l, city_clean_r) >= 0.85, true)",
            0.06,
        ),
        Level("city", f"{_CITY} AND coalesce(state_clean_l = state_clean_r, true)", 0.14),
        # A Springfield of another state; or a state written in a way nobody knows.
        Level("city, another state", _CITY, 0.02),
        Level("postal area", "left(postal_code_clean_l, -2) = left(postal_code_clean_r, -2)", 0.05),
        Level("state", "state_clean_l = state_clean_r", 0.04),
    ),
    0.07,
)


def _only_name_of(one: str, other: str) -> str:
    """Return SQL for a person of one side that has a first name alone, which is the last name of the other."""
    return (
        f"coalesce(last_squashed_{one} IS NULL "
        f"AND jaro_winkler_similarity(first_squashed_{one}, last_squashed_{other}) >= 0.92 "
        f"AND coalesce(jaro_winkler_similarity(first_squashed_{one}, first_squashed_{other}) < 0.92, true), false)"
    )


_ONLY_NAME = f"({_only_name_of('l', 'r')} OR {_only_name_of('r', 'l')})"
_LAST_NAME = Comparison(
    "last_name",
    ("last_squashed", "first_squashed", "last_weight"),
    f"(last_squashed_l IS NULL OR last_squashed_r IS NULL) AND NOT {_ONLY_NAME}",
    (
        Level("same, rare", "last_squashed_l = last_squashed_r AND last_weight_r >= 0.7", 0.35),
        Level("same", "last_squashed_l = last_squashed_r", 0.35),
        Level(
            "nearly the same",
            "near(last_squashed_l, last_squashed_r, 1) "
            "OR jaro_winkler_similarity(last_squashed_l, last_squashed_r) >= 0.92",
            0.12,
        ),
        Level(
            "first and last name exchanged",
            "jaro_winkler_similarity(last_squashed_l, first_squashed_r) >= 0.92 "
            "AND coalesce(jaro_winkler_similarity(first_squashed_l, last_squashed_r) >= 0.85, true) "
            f"OR {_ONLY_NAME}",
            0.03,
        ),
        Level(
            "part of a compound name",
            "length(last_squashed_l) >= 4 AND length(last_squashed_r) >= 4 "
            "AND (contains(last_squashed_l, last_squashed_r) OR contains(last_squashed_r, last_squashed_l))",
            0.03,
        ),
        Level("alike", "jaro_winkler_similarity(last_squashed_l, last_squashed_r) >= 0.8", 0.05),
    ),
)
_FIRST_NAME = Comparison(
    "first_name",
    ("first_squashed", "last_squashed", "first_weight", "first_name_canonical"),
    "first_squashed_l IS NULL OR first_squashed_r IS NULL",
    (
        Level("same, rare", "first_squashed_l = first_squashed_r AND first_weight_r >= 0.7", 0.25),
        Level("same", "first_squashed_l = first_squashed_r", 0.45),
        Level("nickname", "list_has_any(first_name_canonical_l, first_name_canonical_r)", 0.06),
        Level(
            "nearly the same",
            "near(first_squashed_l, first_squashed_r, 1) "
            "OR jaro_winkler_similarity(first_squashed_l, first_squashed_r) >= 0.92",
            0.1,
        ),
        Level(
            "first and last name exchanged",
            "jaro_winkler_similarity(first_squashed_l, last_squashed_r) >= 0.92 "
            "AND coalesce(jaro_winkler_similarity(last_squashed_l, first_squashed_r) >= 0.85, true) "
            f"OR {_ONLY_NAME}",
            0.03,
            silent=True,
        ),
        Level(
            "initial or start",
            "starts_with(first_squashed_l, first_squashed_r) OR starts_with(first_squashed_r, first_squashed_l)",
            0.05,
        ),
        Level("alike", "jaro_winkler_similarity(first_squashed_l, first_squashed_r) >= 0.8", 0.04),
    ),
)
_BIRTHDATE = Comparison(
    "birthdate",
    ("birthdate",),
    "birthdate_l IS NULL OR birthdate_r IS NULL",
    (
        Level("same", "birthdate_l = birthdate_r", 0.8),
        Level(
            "one digit off, or day and month exchanged",
            "near(birthdate_l, birthdate_r, 1) OR (left(birthdate_l, 4) = left(birthdate_r, 4) "
            "AND substr(birthdate_l, 5, 2) = substr(birthdate_r, 7, 2) "
            "AND substr(birthdate_l, 7, 2) = substr(birthdate_r, 5, 2))",
            0.1,
        ),
        Level("two digits off", "near(birthdate_l, birthdate_r, 2)", 0.04),
        Level(
            "same year or same day",
            "left(birthdate_l, 4) = left(birthdate_r, 4) OR right(birthdate_l, 4) = right(birthdate_r, 4)",
            0.03,
        ),
    ),
    0.03,
)


def _mail(part: int, side: str) -> str:
    return f"split_part(email_clean_{side}, '@', {part})"


_SHORTER_DOMAIN = f"least(length({_mail(2, 'l')}), length({_mail(2, 'r')}))"
#: A letter or two off, by its length: me.com and mac.com, gmx.de and gmx.at are two domains.
_DOMAIN_MISSPELT = (
    f"(split_part({_mail(2, 'l')}, '.', -1) = split_part({_mail(2, 'r')}, '.', -1) "
    f"AND near({_mail(2, 'l')}, {_mail(2, 'r')}, "
    f"CASE WHEN {_SHORTER_DOMAIN} >= 16 THEN 2 WHEN {_SHORTER_DOMAIN} >= 10 THEN 1 ELSE 0 END))"
)
_EMAIL = Comparison(
    "email",
    ("email_clean", "mailbox"),
    # jo.brown@ at two companies: two Jo Browns, or one who moved. It adds nothing to the name.
    "email_clean_l IS NULL OR email_clean_r IS NULL OR (email_clean_l <> email_clean_r "
    f"AND {_mail(1, 'l')} = {_mail(1, 'r')} "
    f"AND (mailbox_l IS NULL OR mailbox_r IS NULL) AND NOT {_DOMAIN_MISSPELT})",
    (
        Level("same", "email_clean_l = email_clean_r", 0.7),
        Level("same mailbox name", "mailbox_l = mailbox_r AND length(mailbox_l) >= 5", 0.08),
        Level(
            "nearly the same",
            # Where the domain is the same, its length says nothing of how much two mailboxes may differ.
            f"near(email_clean_l, email_clean_r, CASE WHEN {_mail(2, 'l')} = {_mail(2, 'r')} THEN 2 "
            "ELSE greatest(2, least(length(email_clean_l), length(email_clean_r)) // 8) END) "
            f"AND near({_mail(1, 'l')}, {_mail(1, 'r')}, 2) "
            "AND regexp_replace(email_clean_l, '[^0-9]', '', 'g') = regexp_replace(email_clean_r, '[^0-9]', '', 'g')",
            0.05,
        ),
        Level("same domain", f"{_mail(2, 'l')} = {_mail(2, 'r')}", 0.05),
    ),
    0.12,
)
_PERSON_PHONE = Comparison(
    "phone",
    ("phone_tails", "phone_people"),
    "phone_tails_l IS NULL OR phone_tails_r IS NULL",
    (
        Level(
            "same, one person's",
            "list_has_any(phone_tails_l, phone_tails_r) AND greatest(phone_people_l, phone_people_r) <= 2",
            0.5,
        ),
        Level("same, shared by several", "list_has_any(phone_tails_l, phone_tails_r)", 0.15),
    ),
    0.35,
)
_COMPANY = Comparison(
    "company",
    ("employer_id", "employer_domain", "employer_key", "employer_tokens"),
    "coalesce(employer_id_l, employer_domain_l, employer_key_l) IS NULL "
    "OR coalesce(employer_id_r, employer_domain_r, employer_key_r) IS NULL",
    (
        Level("same", "employer_id_l = employer_id_r", 0.6),
        Level("same domain or name", "employer_domain_l = employer_domain_r OR employer_key_l = employer_key_r", 0.1),
        Level("names share a word", "list_has_any(employer_tokens_l, employer_tokens_r)", 0.05),
    ),
    0.25,
)

# The address of an office says no more than the employer, which has a comparison of its own.
_SAME_EMPLOYER = (
    "coalesce(employer_id_l = employer_id_r, false) OR coalesce(employer_domain_l = employer_domain_r, false) "
    "OR coalesce(employer_key_l = employer_key_r, false)"
)


def _of_a_person(place: Comparison) -> Comparison:
    columns = (*place.columns, "employer_id", "employer_domain", "employer_key")
    return replace(place, columns=columns, absent=f"({place.absent}) OR {_SAME_EMPLOYER}")


COMPARISONS: dict[Kind, tuple[Comparison, ...]] = {
    "company": (_NAME, _DOMAIN, _PHONE, _COMPANY_STREET, _LOCALITY),
    "person": (
        _LAST_NAME,
        _FIRST_NAME,
        _BIRTHDATE,
        _EMAIL,
        _PERSON_PHONE,
        _of_a_person(_STREET),
        _of_a_person(_LOCALITY),
        _COMPANY,
    ),
}
