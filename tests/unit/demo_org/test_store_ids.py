import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.demo_org.store.ids import ID_MACROS, checksum, is_id, make_id, normal_id, number_of

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
IDS = st.text(alphabet=ALPHABET, min_size=15, max_size=15)

#: Ids as real orgs sent them in public recordings.
REAL = ["001B000001PUvQUIA1", "005B0000008UC2PIAW", "0017Q00000EZlbyQAD", "0037Q000007vKjpQAE", "a01B0000009ZjAmIAK"]


@pytest.mark.parametrize("real", REAL)
def test_checksum_of_real_ids(real: str) -> None:
    assert checksum(real[:15]) == real[15:]
    assert normal_id(real[:15]) == real


@pytest.mark.parametrize("real", REAL)
def test_an_id_that_lost_its_case_gets_it_back(real: str) -> None:
    assert normal_id(real.lower()) == real


def test_a_restored_id_with_a_wrong_checksum_is_taken_as_it_is() -> None:
    assert normal_id("00Q000000000001AAA") == "00Q000000000001AAA"


@given(IDS)
def test_the_long_form_is_unique_without_case(short: str) -> None:
    long = normal_id(short)
    assert is_id(long)
    assert normal_id(long) == long
    swapped = short.swapcase()
    assert (normal_id(swapped).lower() == long.lower()) == (swapped == short)


@given(st.integers(0, 62**9 - 1))
def test_a_made_id_tells_its_number(number: int) -> None:
    assert number_of(make_id("0PS", number)) == number


@pytest.mark.parametrize("text", ["", "001", "001B000001PUvQ-IA1", "0" * 16, "0" * 19])
def test_other_text_is_no_id_and_stays(text: str) -> None:
    assert not is_id(text)
    assert normal_id(text) == text


def test_sql_macros_agree_with_python() -> None:
    con = duckdb.connect()
    for macro in ID_MACROS:
        con.execute(macro).fetchall()
    numbers = [0, 1, 61, 62, 1000, 238_327, 99_999_999]
    made = con.execute(f"SELECT made_id('001', n) FROM (SELECT unnest({numbers}::BIGINT[]) AS n)").fetchall()
    assert [row[0] for row in made] == [make_id("001", n) for n in numbers]
    for real in REAL:
        assert con.execute("SELECT id18(?), id18(?)", [real[:15], real]).fetchall() == [(real, real)]
    assert con.execute("SELECT id18('not an id at 1')").fetchall() == [("not an id at 1",)]
