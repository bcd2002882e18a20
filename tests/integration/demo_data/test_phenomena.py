"""Everything the demo promises to contain is in it, at a believable rate, at two thousand accounts."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

import pytest

Row = dict[str, str]
Table = Callable[[str], list[Row]]
FREE_MAIL = re.compile(r"@(gmail|hotmail|yahoo|gmx|web|outlook|aol|orange|wp|qq|naver|libero)\.")


def share(rows: Iterable[Row], holds: Callable[[Row], object]) -> float:
    rows = list(rows)
    return sum(bool(holds(row)) for row in rows) / len(rows)


def script(name: str) -> Callable[[str], bool]:
    return lambda text: any(unicodedata.name(letter, "").startswith(name) for letter in text)


def is_company(row: Row) -> bool:
    return row["IsPersonAccount"] == "false"


RATES: list[tuple[str, str, Callable[[Row], object], float, float]] = [
    ("person accounts", "Account", lambda r: r["IsPersonAccount"] == "true", 0.03, 0.05),
    ("deleted accounts", "Account", lambda r: r["IsDeleted"] == "true", 0.03, 0.05),
    ("merged accounts", "Account", lambda r: r["MasterRecordId"], 0.015, 0.025),
    ("no web site", "Account", lambda r: not r["Website"], 0.3, 0.45),
    ("no phone", "Account", lambda r: not r["Phone"], 0.25, 0.4),
    ("web sites that are none", "Account", lambda r: r["Website"] in ("N/A", "None", "Yes", "No"), 0.001, 0.03),
    ("multi-line addresses", "Account", lambda r: "\n" in r["BillingStreet"], 0.05, 0.15),
    ("newlines in descriptions", "Account", lambda r: "\n" in r["Description"], 0.01, 0.1),
    ("quotes in descriptions", "Account", lambda r: '"' in r["Description"], 0.01, 0.15),
    ("NA as text", "Account", lambda r: "NA" in (r["Description"], r["BillingStreet"], r["Name"]), 0.005, 0.1),
    ("None as text", "Account", lambda r: "None" in (r["Description"], r["BillingStreet"], r["Name"]), 0.005, 0.1),
    ("postal codes with a leading zero", "Account", lambda r: r["BillingPostalCode"].startswith("0"), 0.01, 0.15),
    ("account numbers with a leading zero", "Account", lambda r: r["AccountNumber"].startswith("0"), 0.2, 0.4),
    ("parents", "Account", lambda r: r["ParentId"], 0.01, 0.2),
    ("stored company ids", "Account", lambda r: r["Reference_Company_Id__c"], 0.04, 0.12),
    ("shouted names", "Account", lambda r: r["Name"].isupper() and len(r["Name"]) > 8, 0.03, 0.12),
    ("former names in brackets", "Account", lambda r: "(formerly " in r["Name"], 0.001, 0.03),
    ("Greek", "Account", lambda r: script("GREEK")(r["Name"]), 0.002, 0.05),
    ("Cyrillic", "Account", lambda r: script("CYRILLIC")(r["Name"]), 0.002, 0.05),
    ("Chinese and Japanese", "Account", lambda r: script("CJK")(r["Name"]), 0.005, 0.06),
    ("Arabic", "Account", lambda r: script("ARABIC")(r["Name"]), 0.001, 0.05),
    ("Turkish letters", "Account", lambda r: re.search("[ğışİŞ]", r["Name"]), 0.001, 0.05),
    ("accents", "Account", lambda r: re.search("[äöüßéèçñøåłß]", r["Name"]), 0.02, 0.3),
    ("other currencies", "Account", lambda r: r["CurrencyIsoCode"] not in ("", "USD"), 0.2, 0.7),
    ("junk", "Account", lambda r: r["Name"] in ("test", "[[unknown]]", "Not Provided", "asdf", "TBD"), 0.001, 0.02),
    ("free mail", "Contact", lambda r: FREE_MAIL.search(r["Email"]), 0.05, 0.25),
    ("sandbox mail", "Contact", lambda r: r["Email"].endswith(".invalid"), 0.004, 0.03),
    ("role mail", "Contact", lambda r: re.match("(info|office|sales|accounting)@", r["Email"]), 0.01, 0.06),
    ("no first name", "Contact", lambda r: not r["FirstName"], 0.01, 0.1),
    ("deleted contacts", "Contact", lambda r: r["IsDeleted"] == "true", 0.02, 0.06),
    ("stored person ids", "Contact", lambda r: r["Reference_Person_Id__c"], 0.02, 0.1),
    ("extensions", "Contact", lambda r: re.search("x|ext", r["Phone"], re.IGNORECASE), 0.02, 0.15),
    ("converted leads", "Lead", lambda r: r["IsConverted"] == "true", 0.08, 0.12),
    ("queue-owned leads", "Lead", lambda r: r["OwnerId"].startswith("00G"), 0.06, 0.16),
    ("placeholder companies", "Lead", lambda r: r["Company"] in ("[[unknown]]", "Not Provided", "N/A"), 0.01, 0.1),
    ("placeholder last names", "Lead", lambda r: r["LastName"] in ("[[unknown]]", "Not Provided", "test"), 0.005, 0.05),
    ("sandbox mail of leads", "Lead", lambda r: r["Email"].endswith(".invalid"), 0.004, 0.03),
    ("merged leads", "Lead", lambda r: r["MasterRecordId"], 0.01, 0.03),
    ("inactive users", "User", lambda r: r["IsActive"] == "false", 0.01, 0.5),
    ("deleted opportunities", "Opportunity", lambda r: r["IsDeleted"] == "true", 0.001, 0.04),
    ("won opportunities", "Opportunity", lambda r: r["IsWon"] == "true", 0.2, 0.5),
    ("open opportunities", "Opportunity", lambda r: r["IsClosed"] == "false", 0.05, 0.4),
    ("opportunities without amount", "Opportunity", lambda r: not r["Amount"], 0.03, 0.15),
    ("opportunities in other currencies", "Opportunity", lambda r: r["CurrencyIsoCode"] != "USD", 0.2, 0.7),
]


@pytest.mark.parametrize(("name", "holds", "low", "high"), [pytest.param(*r[1:], id=r[0]) for r in RATES])
def test_rate(table: Table, name: str, holds: Callable[[Row], object], low: float, high: float) -> None:
    assert low <= share(table(name), holds) <= high


def pairs(table: Table, truth: str, name: str, entity: str) -> list[tuple[Row, Row]]:
    records = {row["Id"]: row for row in table(name)}
    entities = {row[f"{entity}_id"]: row for row in table(f"reference/{entity}")}
    return [(records[row["salesforce_id"]], entities[row["reference_id"]]) for row in table(f"truth/{truth}")]


def test_a_name_alone_finds_some_companies_and_misses_many(table: Table) -> None:
    linked = pairs(table, "account", "Account", "company")
    exact = sum(account["Name"].lower() == company["name"].lower() for account, company in linked) / len(linked)
    assert 0.15 < exact < 0.5


def test_companies_have_duplicates_and_branches(table: Table) -> None:
    sizes = Counter(Counter(row["reference_id"] for row in table("truth/account")).values())
    assert sizes[1] > sizes[2] > sizes[3] > 0


def test_subsidiaries_share_a_domain(table: Table) -> None:
    domains = defaultdict(set)
    for row in table("reference/company"):
        if row["website"]:
            domains[re.sub(r"^(https?://)?(www\.)?", "", row["website"])].add(row["company_id"])
    shared = [ids for ids in domains.values() if len(ids) > 1]
    assert 20 < len(shared) < 300
    assert sum(row["parent_id"] != "" for row in table("reference/company")) > 100


def test_sibling_businesses_share_their_first_words_but_not_their_owner(table: Table) -> None:
    heads = Counter(" ".join(row["name"].split()[:2]) for row in table("reference/company"))
    assert sum(count for count in heads.values() if count > 1) / 2000 > 0.1
    names = Counter(row["name"] for row in table("reference/company"))
    assert sum(count for count in names.values() if count > 1) / 2000 < 0.05


def test_legal_forms_vary_between_the_two_sides(table: Table) -> None:
    linked = pairs(table, "account", "Account", "company")
    forms = {
        (account["Name"].split()[-1], company["name"].split()[-1])
        for account, company in linked
        if account["Name"].rsplit(" ", 1)[0] == company["name"].rsplit(" ", 1)[0] and account["Name"] != company["name"]
    }
    assert len(forms) > 15


def test_former_names_keep_some_other_evidence(table: Table) -> None:
    renamed = [
        (account, company)
        for account, company in pairs(table, "account", "Account", "company")
        if company["name"].isascii()
        and account["Name"].isascii()
        and not set(re.findall(r"\w{4,}", account["Name"].lower()))
        & set(re.findall(r"\w{3,}", company["name"].lower()))
    ]
    assert renamed


def test_switchboards_are_shared_by_colleagues(table: Table) -> None:
    phones = Counter(re.sub(r"\D", "", row["Phone"].split("x")[0])[-7:] for row in table("Contact") if row["Phone"])
    assert sum(count > 3 for phone, count in phones.items() if len(phone) == 7) > 5


def test_nicknames_and_job_changes(table: Table) -> None:
    people = pairs(table, "contact", "Contact", "person")
    nicknames = {
        (c["FirstName"], p["first_name"]) for c, p in people if c["FirstName"] and c["FirstName"] != p["first_name"]
    }
    assert {
        ("Bob", "Robert"),
        ("Liz", "Elizabeth"),
        ("Bill", "William"),
        ("Jim", "James"),
        ("Mike", "Michael"),
    } & nicknames
    filed = {row["salesforce_id"]: row["reference_id"] for row in table("truth/contact_company")}
    moved = [c for c, p in people if c["Id"] in filed and p["company_id"] and filed[c["Id"]] != p["company_id"]]
    assert 0.05 < len(moved) / len(people) < 0.2


def test_leads_repeat_contacts(table: Table) -> None:
    contacts = {row["reference_id"] for row in table("truth/contact")}
    repeats = [row for row in table("truth/lead") if row["reference_id"] in contacts]
    assert 150 < len(repeats) < 600


def test_opportunities_reach_over_three_years_of_windows(table: Table) -> None:
    created = sorted(row["CreatedDate"][:10] for row in table("Opportunity"))
    assert created[0] < "2023-04"
    assert created[-1] > "2026-02"
    assert 50 < sum(day >= "2025-09-01" for day in created) < 120
    assert len({row["StageName"] for row in table("Opportunity")}) == 7


def test_inactive_users_own_records(table: Table) -> None:
    inactive = {row["Id"] for row in table("User") if row["IsActive"] == "false"}
    assert any(row["OwnerId"] in inactive for row in table("Account"))


def test_lists_and_reports_are_selections_of_each_object(table: Table) -> None:
    views = table("ListView")
    assert {row["SobjectType"] for row in views} >= {"Account", "Contact", "Lead", "Opportunity"}
    assert all(
        row["Query"].startswith("SELECT Id, Name") and f" FROM {row['SobjectType']}" in row["Query"] for row in views
    )
    assert len(table("Report")) >= 5
