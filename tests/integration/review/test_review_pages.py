"""Deciding on the review page without JavaScript, over real HTTP and a snapshot the pipelines made."""

import re
from html import unescape
from urllib.parse import urlencode

from resources.decisions_acts import audit_rows
from tests.support.review_reading import Page
from tests.support.review_site import Person, Site
from tests.support.review_snapshot import HOSTILE, salesforce_id

HOSTILE_ID, LONELY_ID = salesforce_id(1), salesforce_id(2)
HOSTILE_PAIR = f"/pair/account/{HOSTILE_ID}?reference_id=h1"


def pairs(person: Person, path: str = "/queue") -> list[str]:
    """Addresses of the pairs on a page of the queue."""
    text = person.get(path).text
    return [unescape(found) for found in re.findall(r'href="(/pair/[^"]+)"', text)]


def ids(paths: list[str]) -> list[str]:
    return [path.split("?")[0].rsplit("/", 1)[1] for path in paths]


def send(person: Person, path: str, judgement: str, reason: str = "") -> "tuple[int, str]":
    """Open a pair and press a button; return the status and where it led."""
    page = Page(person.get(path).text)
    form = next(form for form in page.forms if form.action.endswith("/decide"))
    answer = person.post(form.action, form.fields | {"judgement": judgement, "reason": reason})
    return answer.status_code, answer.headers.get("location", "")


def test_the_queue_shows_what_is_worth_most_first_and_every_record_once(site: Site) -> None:
    ann = site.person()
    seen, path = [], "/queue"
    while path:
        page = ann.get(path).text
        seen += ids(pairs(ann, path))
        path = "/queue" + unescape(found[1]) if (found := re.search(r'rel="next" href="([^"]+)"', page)) else ""
    assert len(seen) == len(set(seen)) == 81
    assert LONELY_ID not in seen
    first = ids(pairs(ann, "/queue?sort=worth"))[:10]
    store = site.services.snapshot
    with store.connect() as con:
        amounts = dict(con.sql('SELECT "AccountId", "Amount" FROM salesforce.opportunity').fetchall())
    worth = [float(amounts.get(record, 0)) for record in first]
    assert worth == sorted(worth, reverse=True)
    assert worth[0] == max(float(amount) for amount in amounts.values())


def test_filters_narrow_the_queue_and_stay_on_the_way_through_it(site: Site) -> None:
    ann = site.person()
    found = pairs(ann, "/queue?text=caf&sort=name")
    assert 0 < len(found) < 20
    assert all("text=caf" in path and "sort=name" in path for path in found)
    status, following = send(ann, found[0], "positive")
    assert status == 303
    assert "text=caf" in following
    assert ids([following]) == ids(found)[1:2]


def test_a_judgement_leads_on_and_is_pending_until_the_next_run(site: Site) -> None:
    ann = site.person()
    first, second, *_ = pairs(ann)
    status, following = send(ann, first, "positive", "same phone & street")
    assert (status, ids([following])) == (303, ids([second]))
    told = ann.get(following).text
    assert "the same. It counts from the next run on." in told
    assert "counts from the next run" not in ann.get(following).text
    assert ids([first])[0] not in ids(pairs(ann))
    pending = ann.get("/pending").text
    assert ids([first])[0] in pending
    assert "same phone &amp; street" in pending
    assert "Pending until the next run" in ann.get(first).text
    made = site.decisions()
    assert [(one.salesforce_id, one.judgement, one.decided_by) for one in made] == [
        (ids([first])[0], "positive", "ann")
    ]


def test_taking_back_brings_the_pair_back(site: Site) -> None:
    ann = site.person()
    first = pairs(ann)[0]
    _, following = send(ann, first, "negative")
    form = Page(ann.get(following).text).form("/undo")
    answer = ann.post("/undo", form.fields)
    assert ids([answer.headers["location"]]) == ids([first])
    assert ids([first])[0] in ids(pairs(ann))
    assert ann.post("/undo", form.fields).status_code == 409
    page = ann.get(following)
    assert '"/undo"' not in page.text


def test_who_was_slower_is_told_by_whom_and_when_and_decides_nothing(site: Site) -> None:
    ann, bo = site.person("ann"), site.person("bo")
    path = pairs(ann)[0]
    form = next(form for form in Page(bo.get(path).text).forms if form.action.endswith("/decide"))
    assert send(ann, path, "negative")[0] == 303
    answer = bo.post(form.action, form.fields | {"judgement": "positive"})
    assert answer.status_code == 409
    assert "ann decided “not the same”" in answer.text
    assert re.search(r"20\d\d-\d\d-\d\d at \d\d:\d\d:\d\d UTC", answer.text)
    assert len(site.decisions()) == 1


def test_a_form_with_another_version_keeps_nothing(site: Site) -> None:
    ann = site.person()
    path = pairs(ann)[0]
    form = next(form for form in Page(ann.get(path).text).forms if form.action.endswith("/decide"))
    for version in ("", "0.", "x", "9.deadbeef", "-1.", "0.'; DROP TABLE crosswalk_decision; --"):
        answer = ann.post(form.action, form.fields | {"judgement": "positive", "version": version})
        assert answer.status_code == 409, version
    assert site.decisions() == ()


def test_a_viewer_sees_and_decides_nothing(site: Site) -> None:
    ann, vic = site.person("ann"), site.person("vic")
    path = pairs(ann)[0]
    shown = vic.get(path).text
    assert "/decide" not in shown
    assert "sees and does not decide" in shown
    form = next(form for form in Page(ann.get(path).text).forms if form.action.endswith("/decide"))
    stolen = form.fields | {"judgement": "positive"}
    assert vic.post(form.action, stolen).status_code == 403
    assert vic.post(form.action, stolen | {"csrf": vic.token()}).status_code == 403
    for act in ("/undo", "/bulk", f"/missing/account/{LONELY_ID}"):
        assert vic.act(act, judgement="create", version="0.").status_code == 403
    assert site.decisions() == ()
    refused = audit_rows(site.services.store, user="vic")
    assert [row.action for row in refused if row.action != "sign_in"] == ["refused"] * 5


def test_one_persons_decision_is_not_anothers_to_take_back_unless_they_are_admin(site: Site) -> None:
    ann, bo, eve = site.person("ann"), site.person("bo"), site.person("eve")
    send(ann, pairs(ann)[0], "negative")
    number = str(site.decisions()[0].id)
    assert bo.act("/undo", decision_id=number).status_code == 409
    assert site.decisions()[0].withdrawn_at is None
    assert eve.act("/undo", decision_id=number).status_code == 303
    assert site.decisions()[0].withdrawn_at is not None


def test_somebody_elses_token_does_not_decide_in_my_name(site: Site) -> None:
    ann, bo = site.person("ann"), site.person("bo")
    path = pairs(ann)[0]
    form = next(form for form in Page(bo.get(path).text).forms if form.action.endswith("/decide"))
    assert ann.post(form.action, form.fields | {"judgement": "positive"}).status_code == 403
    assert site.decisions() == ()


def test_a_script_in_a_name_is_text_on_every_page(site: Site) -> None:
    ann = site.person("eve")
    send(ann, HOSTILE_PAIR, "unsure", HOSTILE)
    for path in ("/queue?text=script", "/pending", HOSTILE_PAIR, f"/record/account/{HOSTILE_ID}", "/audit"):
        answer = ann.get(path)
        assert answer.status_code == 200, path
        assert "<script>document" not in answer.text, path
        assert "<img" not in answer.text, path
    assert "&lt;script&gt;" in ann.get(HOSTILE_PAIR).text
    for sent in (HOSTILE, '"><script>alert(1)</script>', "' onmouseover='x"):
        for path in (f"{HOSTILE_PAIR}&{urlencode({'q': sent})}", f"/queue?{urlencode({'text': sent})}"):
            text = ann.get(path).text
            assert "<script>alert" not in text
            assert "<script>document" not in text
            assert not Page(text).faults


ATTACKS = [
    "'; DROP TABLE crosswalk_decision; --",
    "%' OR 1=1 --",
    "\\",
    "_",
    "%",
    '"',
    "x' UNION SELECT password",
    "\0",
    "é" * 190,
]


def test_sql_in_any_field_is_text(site: Site) -> None:
    ann = site.person()
    for attack in ATTACKS:
        _attack(ann, attack)
    assert "81 records" in ann.get("/queue").text


def _attack(ann: Person, attack: str) -> None:
    for name in ("text", "rule", "country", "owner", "object", "waiting", "sort", "min", "after", "pending", "bulk"):
        answer = ann.get(f"/queue?{urlencode({name: attack})}")
        assert answer.status_code in (200, 404), (name, answer.text)
    for path in (
        f"{HOSTILE_PAIR}&{urlencode({'q': attack})}",
        f"/pair/account/{HOSTILE_ID}?{urlencode({'reference_id': attack})}",
        f"/duplicates/account?{urlencode({'reference_id': attack})}",
        f"/shadow?{urlencode({'field': attack})}",
        f"/record?{urlencode({'id': attack})}",
        f"/duplicates?{urlencode({'after': attack})}",
        f"/missing?{urlencode({'after': attack})}",
    ):
        answer = ann.get(path)
        assert answer.status_code in (200, 303, 404), (path, answer.text)


def test_the_search_finds_another_entity_to_link(site: Site) -> None:
    ann = site.person()
    path = pairs(ann)[0]
    page = Page(ann.get(f"{path}&q=apple+pan").text)
    other = next(link for said, link in page.links.items() if "apple pan" in said)
    assert "reference_id=z1" in other
    assert send(ann, other, "positive")[0] == 303
    assert site.decisions()[0].reference_id == "z1"


def test_blind_mode_hides_what_the_model_thinks_until_one_has_decided(site: Site) -> None:
    ann = site.person()
    path = pairs(ann)[0]
    telling = re.compile(r"probability \d|\bbits\b|ACC_\w+|waterfall|Speaks against")
    assert telling.search(ann.get(path).text)
    ann.act("/preferences", name="blind", on="1", back="/queue")
    assert not telling.search(ann.get(path).text)
    queue = ann.get("/queue").text
    assert not re.search(r"ACC_\w+|Probability|0\.9\d", queue)
    send(ann, path, "positive")
    assert telling.search(ann.get(path).text)


def test_previous_leads_back_through_the_pairs_that_were_opened(site: Site) -> None:
    ann = site.person()
    one, two, *_ = pairs(ann)
    ann.get(one)
    page = Page(ann.get(two).text)
    back = next(link for said, link in page.links.items() if said.startswith("Previous"))
    assert ids([back]) == ids([one])


def test_a_new_snapshot_is_shown_without_a_restart_and_none_is_told(site: Site) -> None:
    ann = site.person()
    assert ann.get("/queue").status_code == 200
    with site.services.snapshot.connect():
        published = site.services.snapshot._path
    aside = published.with_suffix(".aside")
    published.rename(aside)
    answer = ann.get("/queue")
    assert answer.status_code == 404
    assert "crosswalk sync --full" in answer.text
    aside.rename(published)
    assert ann.get("/queue").status_code == 200


def test_unknown_pages_records_and_objects_are_said_not_to_be_there(site: Site) -> None:
    ann = site.person()
    unknown = ("/nope", "/pair/opportunity/006?reference_id=x", "/pair/account/001?reference_id=x", "/record/account/1")
    assert site.person("eve").get(f"/bulk/{10**20}").status_code == 404
    assert ann.act("/undo", decision_id=str(2**31)).status_code == 409
    for path in (*unknown, "/bulk/99", "/missing/account/001", "/static/../app.py", "/static/%2e%2e/app.py"):
        answer = ann.get(path)
        assert answer.status_code in (403, 404), path
        assert "Traceback" not in answer.text


def test_every_page_can_be_used_without_seeing_colours_or_a_mouse(site: Site) -> None:
    eve = site.person("eve")
    send(eve, pairs(eve)[0], "positive")
    paths = [
        *("/queue", "/pending", "/missing", "/duplicates", "/shadow?field=OrgMatch__c", "/bulk", "/audit", "/help"),
        *(HOSTILE_PAIR, HOSTILE_PAIR + "&q=cafe", f"/record/account/{HOSTILE_ID}", f"/missing/account/{LONELY_ID}"),
        *(pairs(eve)[0], "/nope"),
    ]
    faults = {path: Page(eve.get(path).text).faults for path in paths}
    faults["/sign-in"] = Page(Person(site.url).get("/sign-in").text).faults
    assert {path: found for path, found in faults.items() if found} == {}
