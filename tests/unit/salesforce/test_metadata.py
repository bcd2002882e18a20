"""The deployable app and permission set: well formed, complete, asking for what the client asks for and no more."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pipelines.preflight import MATCHED_FIELDS
from resources.salesforce.web_flow import CALLBACK_PATH, CALLBACK_PORT, SCOPES

ROOT = Path(__file__).parents[3] / "docs" / "salesforce-metadata"
SOURCE = ROOT / "force-app" / "main" / "default"
NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
#: Type → folder and suffix, as the Metadata API Developer Guide gives them.
TYPES = {
    "ExternalClientApplication": ("externalClientApps", "eca"),
    "ExtlClntAppOauthSettings": ("extlClntAppOauthSettings", "ecaOauth"),
    "ExtlClntAppGlobalOauthSettings": ("extlClntAppGlobalOauthSets", "ecaGlblOauth"),
    "ExtlClntAppOauthConfigurablePolicies": ("extlClntAppOauthPolicies", "ecaOauthPlcy"),
    "ExtlClntAppConfigurablePolicies": ("extlClntAppPolicies", "ecaPlcy"),
    "PermissionSet": ("permissionsets", "permissionset"),
}
SCOPE_NAMES = {"api": "Api", "id": "Basic", "refresh_token": "RefreshToken"}
#: Fields everybody reads who reads the object: Salesforce refuses them in a permission set.
ALWAYS_READABLE = {
    "Account.Name", "Contact.FirstName", "Contact.LastName", "Lead.FirstName", "Lead.LastName", "Lead.Company",
    "Lead.IsConverted", "Opportunity.StageName", "Opportunity.CloseDate", "Opportunity.IsClosed", "Opportunity.IsWon",
}  # fmt: skip


def tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def root_of(kind: str) -> ElementTree.Element:
    folder, suffix = TYPES[kind]
    (file,) = (SOURCE / folder).iterdir()
    assert file.name.endswith(f".{suffix}-meta.xml")
    return ElementTree.parse(file).getroot()


def text(root: ElementTree.Element, name: str) -> str:
    return root.findtext(tag(name)) or ""


@pytest.mark.parametrize("kind", TYPES)
def test_each_file_is_of_its_type_and_in_the_manifest(kind: str) -> None:
    root = root_of(kind)
    assert root.tag == tag(kind)
    folder, suffix = TYPES[kind]
    (file,) = (SOURCE / folder).iterdir()
    manifest = ElementTree.parse(ROOT / "manifest" / "package.xml").getroot()
    members = {text(item, "name"): text(item, "members") for item in manifest.findall(tag("types"))}
    assert set(members) == set(TYPES)
    assert members[kind] == file.name.removesuffix(f".{suffix}-meta.xml")
    project = json.loads((ROOT / "sfdx-project.json").read_text())
    assert text(manifest, "version") == project["sourceApiVersion"]
    assert {path.name for path in SOURCE.iterdir()} == {folder for folder, _ in TYPES.values()}


def test_the_parts_belong_to_one_app() -> None:
    for kind in TYPES:
        if kind.startswith("Extl"):
            assert text(root_of(kind), "externalClientApplication") == "Crosswalk"
    assert text(root_of("ExtlClntAppOauthConfigurablePolicies"), "commaSeparatedPermissionSet") == (
        "Crosswalk_Integration"
    )


def test_the_app_asks_for_what_the_client_asks_for() -> None:
    scopes = text(root_of("ExtlClntAppOauthSettings"), "commaSeparatedOauthScopes").split(", ")
    assert scopes == [SCOPE_NAMES[scope] for scope in SCOPES]
    settings = root_of("ExtlClntAppGlobalOauthSettings")
    assert text(settings, "callbackUrl") == f"http://localhost:{CALLBACK_PORT}{CALLBACK_PATH}"
    assert text(settings, "isPkceRequired") == "true"
    policy = root_of("ExtlClntAppOauthConfigurablePolicies")
    assert text(policy, "permittedUsersPolicyType") == "AdminApprovedPreAuthorized"


def test_no_secret_is_in_the_files() -> None:
    for file in ROOT.rglob("*.xml"):
        content = file.read_text(encoding="utf-8")
        assert not re.search(r"<(consumerKey|consumerSecret|certificate)>", content), file
        assert "BEGIN " not in content


def test_the_permission_set_only_reads() -> None:
    root = root_of("PermissionSet")
    for item in root.findall(tag("objectPermissions")):
        granted = {child.tag.removeprefix(f"{{{NAMESPACE}}}") for child in item if child.text == "true"}
        assert granted == {"allowRead", "viewAllRecords"}
    assert {text(item, "editable") for item in root.findall(tag("fieldPermissions"))} == {"false"}
    assert {text(item, "name") for item in root.findall(tag("userPermissions"))} == {"ApiEnabled", "ViewSetup"}


def test_every_field_that_matching_lives_on_is_readable() -> None:
    root = root_of("PermissionSet")
    readable = {
        text(item, "field") for item in root.findall(tag("fieldPermissions")) if text(item, "readable") == "true"
    }
    objects = {text(item, "object") for item in root.findall(tag("objectPermissions"))}
    needed = {f"{name.title()}.{field}" for name, fields in MATCHED_FIELDS.items() for field in fields}
    # The parts of an address share the permission of the whole.
    needed = {re.sub(r"^Account\.Billing\w+$", "Account.BillingAddress", name) for name in needed}
    assert needed - ALWAYS_READABLE <= readable
    assert not readable & ALWAYS_READABLE
    assert {name.partition(".")[0] for name in readable} <= objects
    assert {name.title() for name in MATCHED_FIELDS} <= objects


def test_the_documentation_gives_the_same_reasons_and_callback() -> None:
    page = (ROOT.parent / "connecting.md").read_text(encoding="utf-8")
    for scope, reason in SCOPES.items():
        assert f"`{scope}`" in page
        assert reason in page
    assert f"http://localhost:{CALLBACK_PORT}{CALLBACK_PATH}" in page
