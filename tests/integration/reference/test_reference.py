"""Loading a reference: what is kept, what is refused, and that a refusal leaves the previous rows in place."""

import gzip
import subprocess
import sys
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_contracts.errors import ReferenceDataError
from data_contracts.settings import ReferenceSource
from pipelines.extract.reference import load_reference
from pipelines.run import RunContext
from resources.reference_database import database_url
from resources.reference_source import attach_error

RUN = RunContext("r1", "full", datetime(2026, 1, 1, tzinfo=UTC))
SOUND = "company_id,name,postal_code\n007,Acme,01234\n8,Müller GmbH,\n"


@pytest.fixture
def con():
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA reference")
        yield connection


def load(con, path: Path | str, kind="company", **source):
    base = path.parent if isinstance(path, Path) else Path()
    name = path.name if isinstance(path, Path) else path
    return load_reference(con, kind, ReferenceSource(path=name, **source), base, RUN)


def write(folder: Path, text: str | bytes, name="companies.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def companies(con, columns="company_id, name, postal_code, origin"):
    return con.sql(f"SELECT {columns} FROM reference.company ORDER BY company_id").fetchall()


def refused(con, path: Path | str, match: str, **source) -> str:
    """Load soundly, then load what must be refused, and return the message once the old rows are proven in place."""
    con.execute("DROP TABLE IF EXISTS reference.company")
    load_reference(con, "company", None, Path(), RUN)
    con.execute("INSERT INTO reference.company BY NAME SELECT 'old' AS company_id, 'Old' AS name, 'source' AS origin")
    with pytest.raises(ReferenceDataError, match=match) as raised:
        load(con, path, **source)
    assert companies(con, "company_id") == [("old",)]
    assert "Next: " in str(raised.value)
    con.execute("BEGIN")
    con.execute("ROLLBACK")
    return str(raised.value)


def test_not_configured_is_an_empty_table(con):
    result = load_reference(con, "person", None, Path(), RUN)
    assert (result.rows, con.sql("SELECT count(*) FROM reference.person").fetchall()) == (0, [(0,)])


def test_csv_keeps_values_as_written(con, tmp_path):
    result = load(con, write(tmp_path, SOUND))
    assert companies(con) == [("007", "Acme", "01234", "source"), ("8", "Müller GmbH", None, "source")]
    assert (result.rows, result.from_source, result.created) == (2, 2, 0)
    assert "website" in result.absent
    assert "postal_code" not in result.absent
    told = con.sql(
        "SELECT comment FROM duckdb_columns() WHERE table_name = 'company' AND column_name = 'name'"
    ).fetchall()
    assert told[0][0]


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators_byte_order_mark_and_gzip(con, tmp_path, separator):
    text = "\ufeff" + SOUND.replace(",", separator)
    assert load(con, write(tmp_path, gzip.compress(text.encode()), "companies.csv.gz")).rows == 2
    assert companies(con, "company_id") == [("007",), ("8",)]


def test_quotes_newlines_and_windows_line_ends(con, tmp_path):
    text = 'Company_ID,NAME,street\r\n1,"Acme ""North"", Inc","Line 1\r\nLine 2"\r\n2,Beta,"a\nb"\r\n'
    load(con, write(tmp_path, text))
    assert companies(con, "company_id, name, street") == [
        ("1", 'Acme "North", Inc', "Line 1\r\nLine 2"),
        ("2", "Beta", "a\nb"),
    ]


def test_numbers_and_dates_are_cast_where_they_can_be(con, tmp_path):
    text = "company_id,name,employees,revenue\n1,A,250,1e6\n2,B,many,12.345\n3,C,,-\n"
    result = load(con, write(tmp_path, text))
    assert companies(con, "employees, revenue::VARCHAR") == [(250, "1000000.00"), (None, "12.35"), (None, None)]
    assert dict(result.unreadable) == {"employees": 1, "revenue": 1}
    people = "person_id,last_name,birthdate\n1,A,1990-02-03\n2,B,19900203\n3,C,31/12/1990\n"
    load(con, write(tmp_path, people, "people.csv"), kind="person")
    dates = con.sql("SELECT birthdate::VARCHAR FROM reference.person ORDER BY person_id").fetchall()
    assert dates == [("1990-02-03",), ("1990-02-03",), (None,)]


def test_column_map(con, tmp_path):
    path = write(tmp_path, "Kundennummer,Firma,name\n1,Acme,other\n")
    load(con, path, columns={"company_id": "kundennummer", "name": "Firma"})
    assert companies(con, "company_id, name") == [("1", "Acme")]


def test_parquet_and_whole_floats(con, tmp_path):
    con.sql("SELECT 7.0::DOUBLE AS company_id, 'Acme' AS name, 12::BIGINT AS employees").write_parquet(
        str(tmp_path / "c.parquet")
    )
    load(con, tmp_path / "c.parquet")
    assert companies(con, "company_id, name, employees") == [("7", "Acme", 12)]


def test_duckdb_file_table_view_and_nearest_name(con, tmp_path):
    path = tmp_path / "master.duckdb"
    with duckdb.connect(str(path)) as other:
        other.execute("CREATE SCHEMA crm; CREATE TABLE crm.companies AS SELECT '1' AS company_id, 'Acme' AS name")
        other.execute("CREATE VIEW v AS SELECT '2' AS company_id, 'Beta' AS name FROM range(1)")
    assert load(con, path, table="crm.companies").rows == 1
    assert load(con, path, table="v").rows == 1
    assert companies(con, "company_id") == [("2",)]
    told = refused(con, path, "has no table companis", table="companis")
    assert "crm.companies, main.v" in told
    refused(con, path, "more than one table")


def test_url_streams_and_hides_the_password(con, tmp_path, monkeypatch):
    engine = sa.create_engine(f"sqlite:///{tmp_path}/crm.db")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE firms (company_id TEXT, name TEXT, employees INTEGER, revenue REAL)"))
        connection.execute(sa.text("INSERT INTO firms VALUES ('007', 'Acme', 12, 3.0), ('8', '', NULL, 2.5)"))
    monkeypatch.setenv("CRM_FOLDER", str(tmp_path))
    monkeypatch.setattr("resources.reference_database.CHUNK_ROWS", 1)
    source = ReferenceSource(url="sqlite:///${CRM_FOLDER}/crm.db", table="firms")
    assert load_reference(con, "company", source, Path(), RUN).rows == 2
    assert companies(con, "company_id, name, employees, revenue::VARCHAR") == [
        ("007", "Acme", 12, "3.00"),
        ("8", None, None, "2.50"),
    ]
    wrong = source.model_copy(update={"table": "firm"})
    with pytest.raises(ReferenceDataError, match="no table firm") as raised:
        load_reference(con, "company", wrong, Path(), RUN)
    assert "firms" in str(raised.value)
    monkeypatch.setenv("CRM_PASSWORD", "p@ss/w:rd")
    closed = ReferenceSource(url="postgresql://me:${CRM_PASSWORD}@127.0.0.1:9/crm", table="firms")
    with pytest.raises(ReferenceDataError, match="could not be read") as raised:
        load_reference(con, "company", closed, Path(), RUN)
    assert "p@ss" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert companies(con, "company_id") == [("007",), ("8",)]


def test_postgresql_streams_every_kind_of_value(con, postgres_url, monkeypatch):
    url = sa.make_url(postgres_url).set(drivername="postgresql+psycopg2")
    engine = sa.create_engine(url)
    rows = 2_500
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA IF EXISTS crm CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA crm"))
        connection.execute(
            sa.text(
                "CREATE TABLE crm.\"People\" AS SELECT i AS \"Nr\", 'N' || i AS last_name, DATE '1990-01-01' + i AS "
                "birthdate, TRUE AS title, 1.50::numeric AS phone FROM generate_series(1, :rows) i"
            ),
            {"rows": rows},
        )
    engine.dispose()
    monkeypatch.setattr("resources.reference_database.CHUNK_ROWS", 1_000)
    monkeypatch.setenv("CRM_URL", url.set(drivername="postgresql").render_as_string(hide_password=False))
    source = ReferenceSource(url="${CRM_URL}", table="crm.People", columns={"person_id": "Nr"})
    assert load_reference(con, "person", source, Path(), RUN).rows == rows
    query = "SELECT person_id, last_name, birthdate::VARCHAR, title, phone FROM reference.person WHERE person_id = '31'"
    assert con.sql(query).fetchall() == [("31", "N31", "1990-02-01", "true", "1.50")]


def test_url_variables(monkeypatch):
    monkeypatch.setenv("CRM_PASSWORD", "p@ss/w:rd")
    url = database_url("postgresql://me:${CRM_PASSWORD}@db/crm")
    assert (url.password, url.host, url.drivername) == ("p@ss/w:rd", "db", "postgresql+psycopg2")
    monkeypatch.setenv("CRM_URL", "postgresql+psycopg2://a:b@c/d")
    assert database_url("${CRM_URL}").host == "c"
    monkeypatch.delenv("CRM_PASSWORD")
    with pytest.raises(ReferenceDataError, match="needs the variable CRM_PASSWORD"):
        database_url("postgresql://me:${CRM_PASSWORD}@db/crm")
    with pytest.raises(ReferenceDataError, match="is not a SQLAlchemy URL") as raised:
        database_url("s3cret words")
    assert "s3cret" not in str(raised.value)


def test_created_entities_outlive_a_load_until_the_source_has_them(con, tmp_path):
    load(con, write(tmp_path, SOUND))
    con.execute("INSERT INTO reference.company BY NAME SELECT 'new' AS company_id, 'New' AS name, 'created' AS origin")
    result = load(con, write(tmp_path, SOUND))
    assert (result.rows, result.from_source, result.created) == (3, 2, 1)
    load(con, write(tmp_path, SOUND + "new,Newer,\n"))
    assert companies(con, "name, origin")[-1] == ("Newer", "source")
    assert load_reference(con, "company", None, Path(), RUN).rows == 0


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("", "is empty"),
        ("company_id,name\n", "holds no rows"),
        ("\n1,Acme\n", "no usable header"),
        ("company_id,name,Name\n1,a,b\n", "no usable header"),
        ("name,city\nAcme,Rome\n", "has no column company_id, the id of a company"),
        ("company_id,city\n1,Rome\n", "has no column name"),
        ("company_id,name\n1,Acme\n,Beta\n ,Gamma\n", r"no company_id in 2 of 3 rows"),
        ("company_id,name\n,\n,\n", r"no company_id in 2 of 2 rows"),
        ("company_id,name\n1,\n2,\n", r"no name in any of its 2 rows"),
        ("company_id,name\n1,A\n1,B\n2,C\n2,D\n3,E\n", "has 2 ids on more than one row"),
        (b"company_id,name\n1,Acme\n2,M\xfcller\n", r"not UTF-8: line 3, byte 27 of the file \(0xFC\)"),
        ("company_id,name\n1,Acme\n".encode("utf-16"), "not UTF-8 text"),
        (b"company_id,name\n1,Ac\0me\n", "not UTF-8 text"),
        (b"\0" * 64, "not UTF-8 text"),
        ("company_id,name\n1,Acmé\n".encode()[:-2], "not UTF-8 text"),
        ("company_id,name\n1,Acme\n2\n", "not a sound CSV at line 3"),
        ("company_id,name\n1,Acme,x\n", "not a sound CSV at line 2"),
        ('company_id,name\n1,"Acme', "not a sound CSV at line 2"),
    ],
)
def test_unfit_csv_is_refused_and_the_previous_rows_stay(con, tmp_path, content, match):
    refused(con, write(tmp_path, content), match)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("number,last_name\n1,Doe\n", "has no column person_id"),
        ("person_id,last_name\n", "holds no rows"),
        ("person_id,last_name\nP1,\nP2,\n", "no name in any of its 2 rows"),
    ],
)
def test_unfit_people_are_refused(con, tmp_path, content, match):
    with pytest.raises(ReferenceDataError, match=match):
        load(con, write(tmp_path, content, "people.csv"), "person")


def test_messages_name_columns_ids_and_nearest_word_but_no_row(con, tmp_path):
    told = refused(con, write(tmp_path, "companyid,name\n1,Secret Corp\n"), "no column company_id")
    assert "its columns are: companyid, name; did you mean companyid?" in told
    twice = "company_id,name\n" + "".join(f"{n},a\n{n},b\n" for n in range(10, 30))
    told = refused(con, write(tmp_path, twice), "20 ids on more than one row")
    assert "10, 11, 12, 13, 14, 15, 16, 17, 18, 19;" in told
    told = refused(con, write(tmp_path, "1,Secret,x@y.example\n2,b,c\n"), "no column company_id")
    assert "Secret" not in told
    told = refused(con, write(tmp_path, 'company_id,name\n1,"Secret"Corp\n'), "not a sound CSV")
    assert "Secret" not in told
    told = refused(con, write(tmp_path, SOUND), "'compny_id' is no column", columns={"compny_id": "x"})
    assert "did you mean company_id?" in told
    told = refused(con, write(tmp_path, SOUND), "column 'nmae', mapped to name", columns={"name": "nmae"})
    assert "did you mean name?" in told


def test_wrong_files_are_refused(con, tmp_path):
    refused(con, tmp_path / "nowhere.csv", "does not exist")
    refused(con, write(tmp_path, "x", "companies.xlsx"), "kind of reference file")
    refused(con, write(tmp_path, SOUND, "companies.parquet"), "not a readable Parquet")
    refused(con, write(tmp_path, SOUND, "companies.duckdb"), "cannot be opened")
    refused(con, write(tmp_path, gzip.compress(b"company_id" * 999)[:-20], "c.csv.gz"), "cannot be read")
    (tmp_path / "folder.csv").mkdir()
    refused(con, tmp_path / "folder.csv", "is a folder")


def test_a_parquet_cut_off_is_refused(con, tmp_path):
    con.sql("SELECT i::VARCHAR AS company_id, 'A' AS name FROM range(5000) t(i)").write_parquet(
        str(tmp_path / "c.parquet")
    )
    whole = (tmp_path / "c.parquet").read_bytes()
    refused(con, write(tmp_path, whole[: len(whole) // 2], "c.parquet"), "not a readable Parquet")


def test_a_duckdb_file_locked_by_another_process_is_refused(con, tmp_path):
    path = tmp_path / "busy.duckdb"
    code = f"import duckdb, sys; c = duckdb.connect({str(path)!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout.readline()
        told = refused(con, path, "cannot be opened")
        writer.stdin.close()
    assert "another process has it open for writing" in told


def test_a_duckdb_file_of_a_newer_version_is_told_apart():
    told = "Trying to read a database file with version number 1234, but we can only read versions between 64 and 999."
    assert "newer DuckDB" in str(attach_error(Path("master.duckdb"), told))


CELL = st.text(
    alphabet=st.characters(exclude_categories=("Cs",), exclude_characters="\0\r\n\ufeff"), min_size=1, max_size=8
)


def blank(text: str) -> bool:
    """Nothing but spaces, the no-break ones included: no name anybody could read."""
    return all(unicodedata.category(character) == "Zs" for character in text)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(CELL, min_size=1, max_size=6))
def test_any_text_survives_the_way_through_csv(con, tmp_path, names):
    rows = "".join(f'{number},"{name.replace(chr(34), chr(34) * 2)}","z"\n' for number, name in enumerate(names))
    load(con, write(tmp_path, f"company_id,name,city\n1000,keep,z\n{rows}"))
    found = dict(companies(con, "company_id, name"))
    assert [found[str(number)] for number in range(len(names))] == [None if blank(name) else name for name in names]
