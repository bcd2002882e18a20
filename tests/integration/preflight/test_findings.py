"""Every colour of preflight, brought about in the org as an admin would, and never by a fake of ours."""

from typing import Any

import pytest

from data_contracts.settings import Settings
from pipelines.preflight import HomeFacts
from pipelines.preflight.relied import MATCHED_FIELDS
from resources.salesforce import ConnectionRecord
from tests.integration.preflight.conftest import ENABLED, PERMISSION_SET, Admin, Look, found
from tests.support.mirror import settings_for


def test_an_org_set_up_as_documented_has_nothing_red_or_amber(look: Look, admin: Admin) -> None:
    report = look()
    assert report.level == "green", [item for item in report.findings if item.level in ("amber", "red")]
    known = report.connection
    assert (known.org_id, known.username) == (admin.scripted.org.org_id, admin.scripted.org.username)
    assert (known.org_name, known.edition, known.kind, known.instance) == (
        "Demo Org", "Developer Edition", "production", "DEMO1",
    )  # fmt: skip
    assert known.integration_user is True
    assert (known.grant, known.api_version, known.newest_api_version) == ("client_credentials", "62.0", "66.0")
    assert {item.name for item in report.allocations} == {
        "DailyApiRequests", "DailyBulkV2QueryJobs", "DailyBulkV2QueryFileStorageMB",
    }  # fmt: skip
    assert [item.object for item in report.objects] == [
        "Account", "Contact", "Lead", "Opportunity", "User", "Campaign", "CampaignMember",
    ]  # fmt: skip
    assert all(item.readable and not item.edit_needed for item in report.objects)
    assert {use.field for use in report.fields if use.object == "Opportunity"} == set(MATCHED_FIELDS["opportunity"])


def test_it_costs_a_dozen_calls_and_three_an_object(look: Look, admin: Admin) -> None:
    before = len(admin.scripted.log())
    report = look()
    asked = [line for line in admin.scripted.log()[before:] if "/oauth2/token" not in line["path"]]
    assert report.api_calls == len(asked)
    assert len(asked) <= 12 + 3 * len(ENABLED)
    assert {line["method"] for line in asked} == {"GET"}


def test_the_org_counts_how_many_records_fill_each_field(look: Look) -> None:
    shares = {(use.object, use.field): (use.filled, use.records) for use in look().fields}
    assert shares["Account", "Website"] == (30, 40)
    assert shares["Account", "Phone"] == (0, 40)
    assert shares["Account", "BillingStreet"] == (40, 40)
    assert shares["Contact", "Email"] == (1, 1)
    assert shares["Contact", "MobilePhone"] == (0, 1)
    assert shares["Lead", "IsConverted"] == (1, 1)  # a checkbox always has a value
    assert shares["Opportunity", "Amount"] == (0, 0)


def test_keys_that_no_record_fills_are_amber(look: Look, admin: Admin) -> None:
    admin("update_where", object="Account", where="Id != null", values={"Website": None, "BillingStreet": None})
    finding = found(look(), "Account", "amber")
    assert "Website, Phone, BillingStreet, BillingPostalCode" in finding.message
    assert "imports.mapping.account" in finding.remedy


def test_without_view_setup_what_stays_unknown_is_said(look: Look, admin: Admin) -> None:
    change: dict[str, Any] = {"permission": "ViewSetup", "granted": False}
    with admin.changed("set_system_permission", {"granted": True}, **change):
        report = look()
    assert "View Setup and Configuration" in found(report, "permissions", "amber").message
    assert "FUNCTIONALITY_NOT_ENABLED" in found(report, "API requests", "amber").message
    assert "of 100,000 used" in found(report, "API requests", "amber").message
    assert "is not known" in found(report, "Account", "grey").message
    assert all(item.hidden is None for item in report.objects)
    assert {item.view_all for item in report.objects} == {None}


def test_without_api_enabled_nothing_more_is_asked(look: Look, admin: Admin) -> None:
    with admin.changed("set_system_permission", {"granted": True}, permission="ApiEnabled", granted=False):
        admin("set_system_permission", user=admin.scripted.org.username, permission="ApiEnabled", granted=False)
        try:
            report = look()
        finally:
            admin("set_system_permission", user=admin.scripted.org.username, permission="ApiEnabled")
    finding = found(report, "connection", "red")
    assert "API_DISABLED_FOR_ORG" in finding.message
    assert "API Enabled" in finding.remedy
    assert len([item for item in report.findings if item.level == "red"]) == 1
    assert report.api_calls <= 4


def test_an_org_that_goes_away_ends_the_questions(look: Look, admin: Admin) -> None:
    admin.scripted.script({"action": "drop_connection", "match": {"path": "/sobjects/Contact/describe"}})
    try:
        report = look()
    finally:
        admin.scripted.script()
    red = [item for item in report.findings if item.level == "red"]
    assert [item.subject for item in red] == ["connection"]
    assert "no answer from" in red[0].message
    assert found(report, "Account", "green")
    assert not [item for item in report.findings if item.subject == "Lead"]


def test_used_up_requests_are_one_red_line(look: Look, admin: Admin) -> None:
    admin.settings(limit="DailyApiRequests", used=100_000, max=100_000)
    try:
        report = look()
    finally:
        admin.settings(limit="DailyApiRequests", used=0, max=100_000)
    assert "REQUEST_LIMIT_EXCEEDED" in found(report, "org", "red").message
    assert len([item for item in report.findings if item.level == "red"]) == 1


@pytest.mark.parametrize(("name", "level"), [("Contact", "red"), ("Opportunity", "amber"), ("Campaign", "amber")])
def test_an_object_that_cannot_be_read(look: Look, admin: Admin, name: str, level: str) -> None:
    back = {"read": True, "view_all": True, "view_all_fields": True}
    with admin.changed("set_object_permission", back, object=name, read=False):
        report = look()
    finding = found(report, name, level)
    assert "not readable" in finding.message
    assert f"Object Settings > {name.removesuffix('y')}" in finding.remedy
    if name == "Campaign":
        assert "follow their campaign" in found(report, "CampaignMember", "amber").remedy
    access = next(item for item in report.objects if item.object == name)
    assert (access.readable, access.fields) == (False, 0)


def test_without_view_all_only_shared_records_arrive(look: Look, admin: Admin) -> None:
    with admin.changed("set_object_permission", {"view_all": True}, object="Lead", view_all=False):
        report = look()
    finding = found(report, "Lead", "amber")
    assert "only records that are shared" in finding.message
    assert "Leads > Edit: View All" in finding.remedy


def test_hidden_fields_are_told_apart_from_missing_ones(look: Look, admin: Admin) -> None:
    mapping = {"mapping": {"account": {"segment": {"sources": ["Segment__c"]}, "gone": {"sources": ["Gone__c"]}}}}
    settings = settings_for("account", imports=mapping)
    change: dict[str, Any] = {"object": "Account", "view_all_fields": False}
    admin.grant("set_field_permission", field="Account.Website", read=True)
    admin.grant("set_field_permission", field="Account.BillingAddress", read=True)
    with admin.changed("set_object_permission", {"view_all_fields": True}, **change):
        report = look(settings)
    reds = [item.message for item in report.findings if (item.subject, item.level) == ("Account", "red")]
    assert len(reds) == 2
    assert "Segment__c (mapping): hidden" in reds[0]
    assert "Gone__c (mapping): not in the org, or hidden" in reds[1]
    ambers = [item.message for item in report.findings if (item.subject, item.level) == ("Account", "amber")]
    assert any("matching would use Phone: hidden" in message for message in ambers)
    others = next(message for message in ambers if "fields exist that the user cannot read" in message)
    assert "AccountNumber" in others
    assert "Segment__c" not in others
    states = {use.field: use.state for use in report.fields}
    assert states["Website"] == states["BillingCity"] == "readable"
    assert (states["Phone"], states["Segment__c"], states["Gone__c"]) == ("hidden", "hidden", "missing")
    assert states["ShippingCity"] == "hidden"  # the address is opened as a whole


def test_a_user_with_more_rights_than_reading_needs_is_amber(look: Look, admin: Admin) -> None:
    change: dict[str, Any] = {"permission": "ModifyAllData"}
    with admin.changed("set_system_permission", {"granted": False}, **change):
        finding = found(look(), "user", "amber")
    assert "Modify All Data" in finding.message
    assert "Salesforce Integration" in finding.remedy
    admin("set_profile", user=admin.scripted.org.username, profile="System Administrator")
    try:
        finding = found(look(), "user", "amber")
    finally:
        admin("set_profile", user=admin.scripted.org.username, profile="Minimum Access - API Only Integrations")
    assert "profile System Administrator" in finding.message


def test_little_left_is_amber_then_red(look: Look, admin: Admin) -> None:
    try:
        admin.settings(limit="DailyApiRequests", used=1_000, max=2_500)
        assert "limits.api.per_run 2,000" in found(look(), "API requests", "amber").message
        admin.settings(limit="DailyApiRequests", used=2_300, max=2_500)
        assert "limits.api.pause_at 95%" in found(look(), "API requests", "red").message
        admin.settings(limit="DailyBulkV2QueryJobs", used=9_990, max=10_000)
        assert "10 of 10,000" in found(look(), "Bulk query jobs", "amber").message
    finally:
        admin.settings(limit="DailyApiRequests", used=0, max=100_000)
        admin.settings(limit="DailyBulkV2QueryJobs", used=0, max=10_000)


def test_a_version_the_org_does_not_have_is_red_and_nothing_is_asked_in_it(look: Look) -> None:
    report = look(settings_for("account", connection={"api_version": "30.0"}))
    assert "66.0" in found(report, "API version", "red").remedy
    assert {item.level for item in report.findings} == {"green", "red"}
    assert not report.objects


def test_packages_the_mapping_relies_on_have_a_version_or_are_red(look: Look) -> None:
    there = {"mapping": {"account": {"tier": {"sources": ["acme__Tier__c"]}}}}
    report = look(settings_for("account", imports=there))
    assert [(item.name, item.version, item.used_by) for item in report.packages] == [
        ("Acme Tiers", "3.12.0 (build 7)", ("Account.acme__Tier__c",))
    ]
    gone = {"mapping": {"account": {"tier": {"sources": ["other__Tier__c"]}}}}
    finding = found(look(settings_for("account", imports=gone)), "packages", "red")
    assert "namespace other" in finding.message
    assert "Setup > Installed Packages" in finding.remedy


@pytest.mark.parametrize(
    ("selection", "level", "words"),
    [
        ({"mode": "lists", "lists": ["Big_ones"]}, "green", "list view Big_ones"),
        ({"lists": ["Nope"]}, "red", "'Nope'"),
        ({"lists": ["Mine"]}, "red", "'mine'"),
        ({"reports": ["All_accounts"]}, "green", "report All_accounts: 40"),
        ({"reports": ["No_ids"]}, "red", "No ids"),
        ({"reports": ["Nope"]}, "red", "'Nope'"),
        ({"mode": "condition", "condition": "Name LIKE 'Company 1%'"}, "green", "11 of 40 records"),
        ({"mode": "condition", "condition": "Nme = 'x'"}, "red", "Nme"),
    ],
)
def test_selections_are_tried(look: Look, admin: Admin, selection: dict[str, Any], level: str, words: str) -> None:
    with admin.changed("set_system_permission", {"granted": False}, permission="RunReports"):
        report = look(settings_for(objects={"account": {"selection": selection}}))
    finding = found(report, "Account selection", level)
    assert words in finding.message
    assert bool(finding.remedy) is (level == "red")


def test_reports_need_a_permission_of_their_own(look: Look) -> None:
    report = look(settings_for(objects={"account": {"selection": {"reports": ["All_accounts"]}}}))
    finding = found(report, "permissions", "red")
    assert "Run Reports" in finding.message
    assert "System Permissions > Edit: Run Reports" in finding.remedy
    assert "Run Reports" in {item.name for item in report.asked_for}
    assert "Run Reports" not in {item.name for item in look().asked_for}


def test_more_records_than_the_cap_is_red(look: Look) -> None:
    finding = found(look(settings_for("account", limits={"records": {"account": 39}})), "Account", "red")
    assert "40 records, over the limit of 39" in finding.message


def test_edit_is_needed_for_exports_only(look: Look, admin: Admin) -> None:
    settings = settings_for(
        "account", exports={"enabled": True, "mapping": {"account": {"Website": {"sources": ["website"]}}}}
    )
    finding = found(look(settings), "Account", "red")
    assert "exports need Edit" in finding.message
    with admin.changed("set_object_permission", {"edit": False}, object="Account", edit=True):
        assert "may not edit" in found(look(settings), "Account", "red").message
        admin.grant("set_field_permission", field="Account.Website", edit=True)
        report = look(settings)
    assert not [item for item in report.findings if item.level == "red"]
    assert "Account: read and edit" in {item.name for item in report.asked_for}
    assert "Account: read" in {item.name for item in look().asked_for}


def test_the_home_s_org_and_who_connected_are_compared(look: Look, admin: Admin) -> None:
    org_id = admin.scripted.org.org_id
    record = ConnectionRecord("connected", org_id, username="boss@acme.example", at="2026-11-01T10:00:00+00:00")
    report = look(facts=HomeFacts(org_id, record=record))
    assert org_id in found(report, "home", "green").message
    assert "2026-11-01T10:00:00+00:00 as boss@acme.example" in found(report, "connection", "green").message
    assert (report.connection.connected_by, report.connection.connected_at) == (record.username, record.at)
    other = found(look(facts=HomeFacts("00D000000000009EAA")), "home", "red")
    assert org_id in other.message
    assert "00D000000000009EAA" in other.message
    assert (
        "run x (process 7)"
        in found(look(facts=HomeFacts(unknown="in use by run x (process 7)")), "home", "grey").message
    )


def test_a_masked_report_names_no_user(look: Look, admin: Admin) -> None:
    record = ConnectionRecord("connected", admin.scripted.org.org_id, username="boss@acme.example", at="2026-11-01")
    text = str(look(facts=HomeFacts(record=record)).masked().document())
    assert admin.scripted.org.username not in text
    assert "boss@acme.example" not in text


def test_every_thing_asked_for_has_a_reason_and_a_place_to_revoke_it() -> None:
    from pipelines.preflight.requested import asked_for

    asked = asked_for(Settings())
    assert all(item.reason and item.revoke.startswith("Setup > ") for item in asked)
    assert {item.name for item in asked if item.kind == "scope"} == {"api", "id", "refresh_token"}
    assert len([item for item in asked if item.kind == "object"]) == len(Settings().objects)
    assert PERMISSION_SET.replace("_", " ") in asked[-1].revoke
