from typing import Any

from apps.demo_org.store import OrgStore


def test_global_and_object_describes(module_load: Any) -> None:
    store: OrgStore = module_load(Account=(["Name", "Score__c"], [["a", "1.5"]]), Visit__c=(["Name"], [["v"]]))
    listed = store.describe_global("v58.0")
    assert set(listed) == {"encoding", "maxBatchSize", "sobjects"}
    by_name = {o["name"]: o for o in listed["sobjects"]}
    assert set(by_name) == set(store.objects)
    assert by_name["Visit__c"]["custom"] is True
    assert by_name["Account"]["urls"]["describe"] == "/services/data/v58.0/sobjects/Account/describe"
    for name in by_name:
        body = store.describe(name.lower(), "v58.0")
        assert body["name"] == name
        assert len(body) >= 44
        assert all(len(f) == 57 for f in body["fields"])
        assert all(len(c) == 8 for c in body["childRelationships"])
        assert body["urls"]["rowTemplate"] == f"/services/data/v58.0/sobjects/{name}/{{ID}}"
    score = next(f for f in store.describe("Account")["fields"] if f["name"] == "Score__c")
    assert (score["custom"], score["type"], score["precision"], score["scale"]) == (True, "double", 18, 1)


def test_every_described_field_can_be_selected(module_load: Any) -> None:
    store: OrgStore = module_load(Account=(["Name", "IsPersonAccount"], [["a", "false"]]))
    for name in store.objects:
        fields = [f["name"] for f in store.describe(name)["fields"]]
        query = store.query(f"SELECT {', '.join(fields)} FROM {name}")
        assert [c.path[0] for c in query.columns] == fields
        assert len(query.records()) == query.total()
