"""Mapped personal values are masked where the settings say so, although no contract knows their columns."""

from pathlib import Path

from data_contracts.settings import Publish, Settings
from pipelines.imports import build_entity_imports, build_imports
from pipelines.publish.published_tables import published_tables
from tests.support.org_tables import put_crosswalk, put_salesforce, run_context, warehouse


def test_mapped_personal_columns_are_masked(tmp_path: Path):
    with warehouse(tmp_path) as con:
        put_salesforce(con, "contact", [{"Id": "K1", "FirstName": "Una", "LastName": "Eide", "Email": "u@x.test"}])
        put_salesforce(con, "account", [{"Id": "A1", "Name": "Acme"}])
        put_crosswalk(con, "contact", {"K1": "P1"})
        put_crosswalk(con, "account", {"A1": "C1"})
        build_imports(con, "contact", Settings(), run_context())
        build_imports(con, "account", Settings(), run_context())
        build_entity_imports(con, "person", Settings(), run_context())
        tables = {table.name: table for table in published_tables(con, Publish(mask_personal=True))}
    for name in ("imports.contact", "imports.person"):
        masked = [column.name for column in tables[name].columns if "masked" in column.description]
        assert masked == ["first_name", "last_name", "email"]
    assert not [column for column in tables["imports.account"].columns if "masked" in column.description]
