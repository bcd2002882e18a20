"""Made data sets of the kinds that are hard to link: ``python -m benchmarks.stress --out DIR``.

Four folders in the form ``benchmarks.quality`` and ``benchmarks.ablation`` read: people by name and birth date with
heavy errors, companies with a name and little else, companies in several scripts and countries, franchises and
branches. The same seed gives the same rows. Truth is written beside them for the score alone. Real names are spelt out
nowhere: words are made of syllables, first names and words of organisations come from short lists.
"""

import csv
import json
import random
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click

Row = dict[str, str]
Made = tuple[str, str, list[Row], list[Row], dict[str, str]]

#: Words to make names of; ``written``: syllables that a script writes in one way, and people write back in one way;
#: ``countries``: legal forms, words for a few trades, and the script of a country.
WORDS: dict[str, Any] = json.loads(Path(__file__).with_name("stress_words.json").read_text(encoding="utf-8"))
FIRST, SYLLABLES, ENDINGS = WORDS["first"].split(), WORDS["syllables"].split(), WORDS["endings"].split()
TRADES, CITIES, STREETS = WORDS["trades"].split(), WORDS["cities"].split(), WORDS["streets"].split()
FORMS, SHORT, WRITTEN = WORDS["forms"], WORDS["short"], WORDS["written"]


def _word(r: random.Random, syllables: int = 0) -> str:
    count = syllables or r.choice((2, 2, 3))
    return "".join(r.choice(SYLLABLES) for _ in range(count)) + (r.choice(ENDINGS) if r.random() < 0.5 else "")


def _typo(r: random.Random, text: str) -> str:
    """Return ``text`` with a letter lost, doubled, another one, or two exchanged."""
    if len(text) < 3:
        return text
    at = r.randrange(len(text) - 1)
    kind = r.randrange(4)
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + text[at] + text[at:]
    if kind == 2:
        return text[:at] + r.choice("abcdefghijklmnoprstuvwy") + text[at + 1 :]
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _often(r: random.Random, values: list[str]) -> str:
    """Return one of the values, the first ones far more often than the last, as names are."""
    return values[int(len(values) * r.random() ** 2.5)]


def people(r: random.Random) -> Made:
    """Name and birth date, nothing else; a third of the contacts with two errors or more, a fifth are nobody."""
    last = sorted({_word(r) for _ in range(1400)})
    r.shuffle(last)
    reference, contacts, truth = [], [], {}
    for i in range(4000):
        born = date(1935, 1, 1) + timedelta(days=r.randrange(25_000))
        reference.append(
            {
                "person_id": f"p{i:05}",
                "first_name": _often(r, FIRST).title(),
                "last_name": _often(r, last).title(),
                "birthdate": born.isoformat() if r.random() < 0.95 else "",
            }
        )
    for i, person in enumerate(r.sample(reference, 2600)):
        key = f"003{i:015}"
        truth[key] = person["person_id"]
        contacts.append({"Id": key, **_mistaken(r, person)})
    for i in range(2600, 3250):
        born = date(1935, 1, 1) + timedelta(days=r.randrange(25_000))
        stranger = {"FirstName": _often(r, FIRST).title(), "LastName": _often(r, last).title()}
        contacts.append({"Id": f"003{i:015}", **stranger, "Birthdate": born.isoformat()})
    return "Contact", "person", contacts, reference, truth


def _mistaken(r: random.Random, person: Row) -> Row:
    first, last, born = person["first_name"], person["last_name"], person["birthdate"]
    for _ in range(r.choice((0, 0, 0, 1, 1, 1, 2, 2, 3))):
        kind = r.randrange(8)
        if kind == 0:
            first = SHORT.get(first.lower(), _typo(r, first)).title()
        elif kind in (1, 2):
            last = _typo(r, last)
        elif kind == 3:
            first, last = (last, first) if r.random() < 0.5 else (first[0], last)
        elif kind == 4 and born:
            born = f"{born[:5]}{born[8:]}-{born[5:7]}" if born[8:] <= "12" else born
        elif kind == 5 and born:
            at = r.choice((3, 9))
            born = born[:at] + str((int(born[at]) + r.randrange(1, 9)) % 10) + born[at + 1 :]
        elif kind == 6:
            last = f"{last}-{_word(r).title()}"
        elif kind == 7:
            born = "" if r.random() < 0.5 else born
    return {"FirstName": first, "LastName": last, "Birthdate": born}


def names(r: random.Random) -> Made:
    """Companies with a name and, one in three, a city; a quarter of the accounts are in no reference."""
    words = sorted({_word(r) for _ in range(1500)})
    r.shuffle(words)

    def name() -> str:
        kind = r.randrange(6)
        first, second = _often(r, words).title(), _often(r, words).title()
        if kind == 0:
            return f"{first} {second} {r.choice(TRADES)}"
        if kind == 1:
            return f"{first} & {second}"
        if kind == 2:
            return f"{first} {r.choice(TRADES)} of {r.choice(CITIES)}"
        if kind == 3:
            return f"{r.choice('ABCDEFGHKLMNPRST')}. {r.choice('ABCDEFGHKLMNPRST')}. {first} {r.choice(TRADES)}"
        return f"{first} {r.choice(TRADES)}" if kind == 4 else f"{first}{second.lower()} {r.choice(TRADES)}"

    reference, accounts, truth = [], [], {}
    for i in range(3500):
        city = r.choice(CITIES) if r.random() < 0.6 else ""
        reference.append({"company_id": f"c{i:05}", "name": f"{name()} {r.choice(FORMS)}", "city": city})
    for i, company in enumerate(r.sample(reference, 2200)):
        key = f"001{i:015}"
        truth[key] = company["company_id"]
        accounts.append(
            {"Id": key, "Name": _renamed(r, company["name"]), "BillingCity": _some(r, company["city"], 0.5)}
        )
    for i in range(2200, 2950):
        accounts.append({"Id": f"001{i:015}", "Name": name(), "BillingCity": _some(r, r.choice(CITIES), 0.4)})
    return "Account", "company", accounts, reference, truth


def _renamed(r: random.Random, name: str) -> str:
    words = name.split()
    if words[-1] in FORMS and r.random() < 0.7:
        words = words[:-1]
    if r.random() < 0.35:
        at = r.randrange(len(words))
        words[at] = _typo(r, words[at])
    if len(words) > 2 and r.random() < 0.12:
        words.pop()
    text = " ".join(words)
    text = text.replace("&", "and") if r.random() < 0.5 else text
    return text.upper() if r.random() < 0.2 else text + (f" {r.choice(FORMS)}" if r.random() < 0.3 else "")


def _some(r: random.Random, value: str, share: float) -> str:
    return value if r.random() < share else ""


def scripts(r: random.Random) -> Made:
    """Companies of twelve countries: the reference in the country's own writing, accounts mostly in plain Latin."""
    reference, accounts, truth = [], [], {}
    for i in range(3000):
        land = r.choice(WORDS["countries"])
        country, (form, full), words, script = land["code"], land["forms"], land["words"], land["script"]
        stem = [r.choice([*WRITTEN.get(script, SYLLABLES)]) for _ in range(4)]
        trade = r.choice([*words] or ["Logistics", "Energy", "Foods"])
        own = f"{_in_script(stem, script)} {words.get(trade, trade)}".replace(" ", "" if script == "kana" else " ")
        city, key = r.choice(CITIES), f"001{i:015}"
        company = {
            "company_id": f"c{i:05}",
            "name": full.format(own) if r.random() < 0.5 else f"{own} {form}",
            "city": city,
            "country": country,
            "postal_code": f"{r.randrange(10_000, 99_999)}",
        }
        latin = f"{''.join(stem).title()} {trade if script or r.random() < 0.5 else words.get(trade, trade)}"
        name = own if r.random() < 0.3 else _typo(r, latin) if r.random() < 0.25 else latin
        place = {"BillingCity": _some(r, city, 0.5), "BillingCountry": _some(r, country, 0.6)}
        account = {"Id": key, "Name": f"{name} {_some(r, r.choice(('Ltd', 'LLC', form)), 0.4)}".strip(), **place}
        if i < 2400:
            reference.append(company)
        if i < 1600 or i >= 2400:
            accounts.append(account)
        if i < 1600:
            truth[key] = company["company_id"]
    return "Account", "company", accounts, reference, truth


def _in_script(stem: list[str], script: str) -> str:
    return "".join(WRITTEN[script][part] if script else part for part in stem).capitalize()


def branches(r: random.Random) -> Made:
    """Forty brands with many sites each, one domain and at times one number for all; a third of the sites unlisted."""
    reference, accounts, truth = [], [], {}
    sites = []
    for brand in range(40):
        name, domain = f"{_word(r).title()} {r.choice(TRADES)}", f"www.{_word(r, 3)}.com"
        centre = f"+1 212 555 {r.randrange(1000, 9999)}"
        towns = r.sample(range(900), 45)
        for town in towns:
            own = f"+1 {300 + town} 555 {r.randrange(1000, 9999)}"
            sites.append(
                {
                    "name": name if r.random() < 0.6 else f"{name} {_town(town)}",
                    "website": domain,
                    "phone": centre if brand % 3 == 0 and r.random() < 0.5 else own,
                    "street": f"{r.randrange(1, 900)} {r.choice(STREETS)} Street",
                    "city": _town(town),
                    "postal_code": f"{10_000 + town * 37}",
                    "country": "US",
                }
            )
    for i, site in enumerate(sites):
        listed = r.random() < 0.66
        if listed:
            reference.append({"company_id": f"c{i:05}", **site})
        if r.random() < 0.8:
            key = f"001{i:015}"
            accounts.append({"Id": key, **_written(r, site)})
            if listed:
                truth[key] = f"c{i:05}"
    return "Account", "company", accounts, reference, truth


def _town(number: int) -> str:
    return f"{SYLLABLES[number % 30]}{SYLLABLES[number // 30]}ton".title()


def _written(r: random.Random, site: Row) -> Row:
    name = site["name"].replace(f" {site['city']}", "") if r.random() < 0.5 else site["name"]
    street = site["street"].replace("Street", r.choice(("St", "St.", "Street")))
    return {
        "Name": _typo(r, name) if r.random() < 0.15 else name,
        "Website": _some(r, site["website"], 0.7),
        "Phone": _some(r, site["phone"], 0.6),
        "BillingStreet": _some(r, street, 0.75),
        "BillingCity": _some(r, site["city"], 0.85),
        "BillingPostalCode": _some(r, site["postal_code"], 0.6),
        "BillingCountry": _some(r, "US", 0.5),
    }


SETS: dict[str, Callable[[random.Random], Made]] = {
    "people": people,
    "names": names,
    "scripts": scripts,
    "branches": branches,
}


@click.command()
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--seed", default=1, show_default=True)
def main(out: Path, seed: int) -> None:
    """Write the made sets below OUT, one folder each."""
    for name, make in SETS.items():
        table, kind, records, reference, truth = make(random.Random(f"{name} {seed}"))
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / f"{table}.csv", records)
        _write(folder / f"reference_{kind}.csv", reference)
        _write(folder / "truth.csv", [{"salesforce_id": key, "reference_id": value} for key, value in truth.items()])
        click.echo(f"{folder}: {len(records)} records, {len(reference)} entities, {len(truth)} pairs")


def _write(path: Path, rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
