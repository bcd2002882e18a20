"""Password hashes: what is kept, what is refused, and that a name that does not exist costs as much."""

import time

import pytest

from apps.review.passwords import check_hash, hash_password, verify
from data_contracts.errors import SettingsError

PASSWORD = "pässword with spaces"


def test_a_password_fits_its_own_hash_only() -> None:
    one, other = hash_password(PASSWORD), hash_password(PASSWORD)
    assert one != other
    assert verify(PASSWORD, one)
    assert verify(PASSWORD, other)
    assert not verify(PASSWORD + " ", one)
    assert not verify("", one)
    assert PASSWORD not in one


@pytest.mark.parametrize(
    "stored",
    [
        "",
        PASSWORD,
        "scrypt:16384:8:1:AAAA",
        "scrypt:2:8:1:" + "A" * 22 + ":" + "A" * 43,
        "scrypt:16385:8:1:" + "A" * 22 + ":" + "A" * 43,
        "scrypt:1073741824:8:1:" + "A" * 22 + ":" + "A" * 43,
        "scrypt:16384:8:1:" + "A" * 22 + ":" + "A" * 8,
        "md5:16384:8:1:" + "A" * 22 + ":" + "A" * 43,
    ],
)
def test_what_is_no_sound_hash_lets_nobody_in_and_is_refused_without_being_repeated(stored: str) -> None:
    assert not verify(PASSWORD, stored)
    with pytest.raises(SettingsError) as caught:
        check_hash(stored)
    assert not stored or stored not in str(caught.value)


@pytest.mark.parametrize("password", ["", "short", "x" * 1025])
def test_a_password_that_can_be_guessed_is_refused(password: str) -> None:
    with pytest.raises(SettingsError, match="12 to 1024"):
        hash_password(password)


def test_somebody_unknown_costs_as_much_time_as_a_wrong_password() -> None:
    stored = hash_password(PASSWORD)

    def seconds(hashed: str | None) -> float:
        times = []
        for _ in range(3):
            began = time.thread_time()
            assert not verify("wrong", hashed)
            times.append(time.thread_time() - began)
        return min(times)

    assert seconds(None) > seconds(stored) / 3
