"""How the warehouse is opened."""

from pathlib import Path

from resources.warehouse import Warehouse


def test_nothing_is_drawn_over_a_log_and_times_are_utc(tmp_path: Path) -> None:
    with Warehouse(tmp_path / "warehouse.duckdb", "1GB").connect() as con:
        found = con.execute(
            "SELECT current_setting('enable_progress_bar'), current_setting('TimeZone'), "
            "current_setting('autoinstall_known_extensions')"
        ).fetchall()
    assert found == [(False, "UTC", False)]
