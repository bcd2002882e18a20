"""The pages beside the queue: bulk, create missing, duplicates, shadow, history, audit."""

import re

from pipelines.review.rows import PairKey
from resources.decisions_reimports import waiting_reimports
from tests.support.review_reading import Page
from tests.support.review_site import Person, Site
from tests.support.review_snapshot import TWINS, salesforce_id

LONELY, TWIN = salesforce_id(2), salesforce_id(min(TWINS))


def check_sample(site: Site, person: Person, bulk: str) -> int:
    """Accept the sample: its first pair and its last on the page, those between in the store; return how many."""
    rows = re.findall(r'href="/pair/account/(\w+)\?bulk=\d+&amp;reference_id=(\w+)">[^<]+ and', person.get(bulk).text)
    for record, entity in rows[1:-1]:
        site.services.store.record("account", record, entity, "positive", decided_by="eve")
    link = next(link for said, link in Page(person.get(bulk).text).links.items() if "next pair" in said)
    while link != bulk:
        form = next(form for form in Page(person.get(link).text).forms if form.action.endswith("/decide"))
        link = person.post(form.action, form.fields | {"judgement": "positive"}).headers["location"]
    return len(rows)


def test_many_are_accepted_together_only_after_their_sample_was_checked(site: Site) -> None:
    eve = site.person("eve")
    bulk = eve.act("/bulk", object="account", threshold="0.9").headers["location"]
    shown = eve.get(bulk).text
    found = re.search(r"([\d,]+) account pairs?", shown)
    assert found
    pairs = int(found[1])
    assert 20 < pairs < 82
    assert "Accept all" not in shown
    assert eve.act(f"{bulk}/accept").status_code == 409
    assert site.decisions() == ()
    assert check_sample(site, eve, bulk) == 20
    assert eve.act(f"{bulk}/accept").status_code == 303
    made = site.decisions()
    assert {one.judgement for one in made} == {"positive"}
    assert len({one.salesforce_id for one in made}) == pairs
    assert "Take all of them back" in eve.get(bulk).text
    assert eve.act(f"{bulk}/undo").status_code == 303
    assert sum(one.withdrawn_at is None for one in site.decisions()) == 20


def test_one_wrong_pair_in_the_sample_stops_the_bulk(site: Site) -> None:
    eve = site.person("eve")
    bulk = eve.act("/bulk", object="account", threshold="0.9").headers["location"]
    first = next(link for said, link in Page(eve.get(bulk).text).links.items() if "next pair" in said)
    form = next(form for form in Page(eve.get(first).text).forms if form.action.endswith("/decide"))
    eve.post(form.action, form.fields | {"judgement": "negative"})
    assert "not clean" in eve.get(bulk).text
    assert eve.act(f"{bulk}/accept").status_code == 409


def test_bulk_is_for_admins_and_for_sound_thresholds(site: Site) -> None:
    ann, eve = site.person("ann"), site.person("eve")
    assert ann.get("/bulk").status_code == 403
    assert ann.act("/bulk", object="account", threshold="0.9").status_code == 403
    for object_name, threshold in (("account", "0.2"), ("account", "x"), ("account", ""), ("opportunity", "0.9")):
        assert eve.act("/bulk", object=object_name, threshold=threshold).status_code == 409
    assert eve.act("/bulk/99/accept").status_code == 409


def test_what_is_missing_is_created_with_corrected_values_and_told_in_the_history(site: Site) -> None:
    ann = site.person()
    assert LONELY in ann.get("/missing").text
    path = f"/missing/account/{LONELY}"
    form = Page(ann.get(path).text).form(path)
    assert form.fields["value.name"] == "Zebra Upholstery Guild"
    sent = form.fields | {"value.name": "Zebra Upholstery", "value.city": "Phoenix", "judgement": "create"}
    assert ann.post(path, sent).headers["location"] == f"/record/account/{LONELY}"
    assert "becomes an entity" in ann.get("/missing").text
    assert LONELY not in ann.get("/missing").text
    history = ann.get(f"/record/account/{LONELY}").text
    assert "ann" in history
    assert "created" in history
    slower = ann.post(path, sent)
    assert slower.status_code == 409


def test_a_name_that_is_emptied_creates_nothing(site: Site) -> None:
    ann = site.person()
    path = f"/missing/account/{LONELY}"
    form = Page(ann.get(path).text).form(path)
    assert ann.post(path, form.fields | {"value.name": " ", "judgement": "create"}).status_code == 409
    assert LONELY in ann.get("/missing").text


def test_a_rejected_proposal_is_not_shown_again(site: Site) -> None:
    ann = site.person()
    path = f"/missing/account/{LONELY}"
    form = Page(ann.get(path).text).form(path)
    assert ann.post(path, form.fields | {"judgement": "reject", "reason": "a hobby"}).status_code == 303
    assert "not proposed again" in ann.get("/missing").text
    assert LONELY not in ann.get("/missing").text


def test_what_is_to_be_imported_again_waits_for_the_next_run_and_is_asked_for_once(site: Site) -> None:
    ann, eve, vic = site.person(), site.person("eve"), site.person("vic")
    again = f"/record/account/{LONELY}/reimport"
    assert again in ann.get(f"/record/account/{LONELY}").text
    assert again not in vic.get(f"/record/account/{LONELY}").text
    assert vic.act(again).status_code == 403
    assert ann.act(again).headers["location"] == f"/record/account/{LONELY}"
    assert "asked for again" in ann.get(f"/record/account/{LONELY}").text
    assert ann.act(again).status_code == 303
    assert "All accounts" not in ann.get("/reimport").text
    assert ann.act("/reimport", object="account").status_code == 403
    assert eve.act("/reimport", object="opportunity").status_code == 409
    assert eve.act("/reimport", object="everything").status_code == 303
    kept = [(wish.object, wish.salesforce_id, wish.asked_by) for wish in waiting_reimports(site.services.store)]
    assert kept == [("account", LONELY, "ann"), *((name, None, "eve") for name in ("account", "contact", "lead"))]
    assert "4 requests wait" in ann.get("/reimport").text
    assert Page(eve.get("/reimport").text).faults == []


def test_records_of_one_entity_stand_side_by_side(site: Site) -> None:
    ann = site.person()
    links = Page(ann.get("/duplicates").text).links
    path = next(link for said, link in links.items() if link.startswith("/duplicates/account"))
    text = ann.get(path).text
    for number, name in TWINS.items():
        assert salesforce_id(number) in text
        assert name in text
    assert "differs" in text
    assert ann.get("/duplicates/account?reference_id=z1").status_code == 404
    assert "No entity has two lead records" in ann.get("/duplicates?object=lead").text


def test_the_orgs_own_match_is_compared_with_ours(site: Site) -> None:
    ann = site.person()
    assert "OrgMatch__c" in ann.get("/shadow").text
    text = ann.get("/shadow?field=OrgMatch__c").text
    figures = dict(re.findall(r"<dt>([^<]+)</dt><dd>([\d,]+)</dd>", text))
    assert figures.keys() == {"agree", "name another", "only theirs", "only ours", "theirs is unknown", "neither"}
    assert sum(map(int, figures.values())) == 85 - 1
    assert int(figures["only ours"]) == len(TWINS)
    assert ann.get("/shadow?field=Nope__c").status_code == 404


def test_the_history_tells_who_decided_and_who_took_back(site: Site) -> None:
    ann, eve = site.person(), site.person("eve")
    with site.services.snapshot.connect() as con:
        record, entity = con.sql(
            "SELECT salesforce_id, reference_id FROM crosswalk.account WHERE status = 'in_review' ORDER BY ALL LIMIT 1"
        ).fetchall()[0]
    key = PairKey("account", record, entity)
    path = f"/pair/account/{record}?reference_id={entity}"
    form = next(form for form in Page(ann.get(path).text).forms if form.action.endswith("/decide"))
    ann.post(form.action, form.fields | {"judgement": "negative", "reason": "other owner"})
    eve.act("/undo", decision_id=str(site.decisions()[0].id))
    text = ann.get(f"/record/account/{key.salesforce_id}").text
    assert text.index("withdrawn") < text.index("other owner")
    audit = eve.get(f"/audit?record={record}").text
    assert [word in audit for word in ("decide", "undo", "ann", "eve")] == [True] * 4
    assert eve.get("/record?id=" + record + "&object=account").headers["location"] == f"/record/account/{record}"
