"""Which field mappings have passed their test: one small file in the home, by hash. No value of a record is kept.

What a test is, is ``pipelines.imports.mapping_trial``; what becomes of a mapping without one is
``pipelines.imports.mapping_gate``.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from data_contracts.errors import SettingsError
from resources.files import PRIVATE, write_atomically
from resources.home import Home

#: Passed mappings kept per object, the latest first: going back to an earlier one needs no new test.
KEPT = 50


@dataclass(frozen=True)
class PassedTest:
    """A mapping that has passed: its hash, when (UTC, ISO), and the org's fields it reads with their types then.

    ``by`` is ``test`` for ``crosswalk mapping test`` and ``default`` for the shipped mapping, which needs none.
    """

    mapping_hash: str
    passed_at: str
    fields: Mapping[str, str]
    by: str = "test"


@dataclass(frozen=True)
class MappingTests:
    """The file ``mapping_tests.json`` of a home."""

    path: Path

    @classmethod
    def of(cls, home: Home) -> "MappingTests":
        """Return the tests that passed in ``home``."""
        return cls(home.root / "mapping_tests.json")

    def passed(self, object_name: str, mapping_hash: str) -> PassedTest | None:
        """Return the test that this mapping of an object has passed, None where it has not."""
        return next((test for test in self._read().get(object_name, []) if test.mapping_hash == mapping_hash), None)

    def record(self, object_name: str, test: PassedTest) -> None:
        """Keep that a mapping has passed; an earlier test of the same mapping is replaced."""
        everything = self._read()
        others = [item for item in everything.get(object_name, []) if item.mapping_hash != test.mapping_hash]
        everything[object_name] = [test, *others][:KEPT]
        text = json.dumps({name: [asdict(item) for item in tests] for name, tests in everything.items()}, indent=1)
        write_atomically(self.path, text, PRIVATE)

    def _read(self) -> dict[str, list[PassedTest]]:
        try:
            body = json.loads(self.path.read_text(encoding="utf-8"))
            return {name: [PassedTest(**item) for item in tests] for name, tests in body.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise SettingsError(
                f"{self.path} cannot be read: {type(error).__name__}",
                why="it says which mappings have passed their test, and is damaged or written by a newer version",
                next_step="remove it, then run: crosswalk mapping test",
            ) from error
