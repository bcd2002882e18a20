"""Great Expectations, imported as if pyspark were not there.

It looks for pyspark when it is imported, and ``pyspark.sql.connect`` ends the process (``sys.exit(0)``, "Skipping
doctests") where the main module is not a file, as in a worker that was spawned: a run with the extra ``spark``
installed would end there. Batches come as data frames; nothing of Spark is used by a contract.
"""

import sys
from types import ModuleType


def great_expectations() -> ModuleType:
    """Return the module; it costs 5 to 10 seconds the first time."""
    if "great_expectations" not in sys.modules:
        aside = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "pyspark"}
        # None makes an import an ImportError, which Great Expectations takes for "not installed".
        sys.modules["pyspark"] = None  # type: ignore[assignment]
        try:
            import great_expectations  # noqa: F401
        finally:
            del sys.modules["pyspark"]
            sys.modules.update(aside)
    return sys.modules["great_expectations"]
