"""Failed sign-ins: how many are let through, who is stopped, and when it ends."""

from apps.review import throttle
from apps.review.throttle import Throttle


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_after_five_failures_one_waits_until_the_first_is_old() -> None:
    clock = Clock()
    limit = Throttle(clock)
    assert [limit.begin("ann", "10.0.0.1") for _ in range(5)] == [0] * 5
    assert limit.begin("ann", "10.0.0.1") > 890
    clock.now += throttle.WINDOW_SECONDS - 10
    assert 0 < limit.begin("ann", "10.0.0.1") <= 11
    clock.now += 11
    assert limit.begin("ann", "10.0.0.1") == 0


def test_another_address_of_the_same_name_is_not_locked_out() -> None:
    limit = Throttle(Clock())
    while not limit.begin("ann", "10.0.0.1"):
        pass
    assert limit.begin("ann", "10.0.0.2") == 0


def test_one_address_cannot_try_many_names_nor_many_addresses_one_name() -> None:
    limit = Throttle(Clock())
    tried = sum(limit.begin(f"name{number}", "10.0.0.1") == 0 for number in range(100))
    assert tried == throttle.PER_ADDRESS
    tried = sum(limit.begin("ann", f"10.1.0.{number}") == 0 for number in range(100))
    assert tried == throttle.PER_NAME


def test_a_good_sign_in_forgets_the_failures_before_it() -> None:
    limit = Throttle(Clock())
    for _ in range(40):
        assert limit.begin("ann", "10.0.0.1") == 0
        limit.succeeded("ann", "10.0.0.1")


def test_the_memory_of_failures_is_bounded() -> None:
    limit = Throttle(Clock())
    for number in range(throttle.MOST_KEYS):
        limit.begin(f"n{number}", f"a{number}")
    assert len(limit._failures) == throttle.MOST_KEYS
