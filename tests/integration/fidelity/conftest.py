"""One demo org with the custom objects that the recorded orgs had, shared by the replays of this folder."""

from collections.abc import Iterator

import pytest

from tests.support.demo_org_client import Client, write_csv
from tests.support.org_forge import forked_demo_org
from tests.support.replay import Replay

_RATING = [{"value": value, "label": value, "active": True} for value in ("Excellent", "Good", "Poor")]


@pytest.fixture(scope="package")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replay]:
    """An org that each replay changes first, through its own API."""
    folder = tmp_path_factory.mktemp("recorded")
    for name in ("Franchise__c", "Movie__c", "Spaceship__c", "Random__c", "Custom__c"):
        write_csv(folder / f"{name}.csv", ["Name"], [])
    write_csv(folder / "RecordType.csv", ["Name", "DeveloperName", "SobjectType"], [["Pytest", "Pytest", "Account"]])
    with forked_demo_org(folder) as org:
        replay = Replay(Client(org))
        _add_fields(replay)
        yield replay


def _add_fields(replay: Replay) -> None:
    replay.add_field(
        "Movie__c", "Rating__c", "picklist", label="Rating", picklistValues=_RATING, restrictedPicklist=True
    )
    replay.add_field("Movie__c", "ReleaseDate__c", "date", label="Release Date")
    replay.add_field("Movie__c", "Franchise__c", "reference", referenceTo=["Franchise__c"])
    replay.add_field("Spaceship__c", "Website__c", "url", nillable=False)
    replay.add_field("Custom__c", "CustomField__c", "string")
    for name in ("RANDOM_1__c", "RANDOM_2__c"):
        replay.add_field("Random__c", name, "string")
