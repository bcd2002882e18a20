"""The matching model: which comparisons it uses, their trained parameters, and the file it is kept in.

How parameters are trained is in ``training.py``; Splink turns them into weights.
"""

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from data_contracts.errors import ResolutionError
from pipelines.resolve.calibration import Calibration
from pipelines.resolve.comparisons import COMPARISONS, Comparison
from pipelines.resolve.scoring import Parameters
from pipelines.resolve.sides import Kind, Sides
from pipelines.resolve.together import together_sql
from pipelines.run import RunContext
from resources.files import write_atomically

#: Raise when the form of the file or the meaning of a number in it changes.
FORMAT = 3
#: What gives the levels and features their meaning: a change of any of them makes the parameters mean nothing.
_MEANING = (
    *(
        "calibration.py",
        "comparisons.py",
        "crowds.sql",
        "features.sql",
        "learning.py",
        "met.py",
        "met.sql",
        "name_alike.sql",
        "rarity.sql",
    ),
    *("scoring.py", "side_company.sql", "side_person.sql", "sides.py", "similarity.sql", "together.py", "vetoes.py"),
    *("weights.sql", "words.sql"),
)
_READ = (".py", ".sql", ".csv", ".json", ".txt", ".dat", ".gz")


@dataclass(frozen=True)
class Model:
    """A trained model. ``prior`` is the share of matches among all pairs; ``m`` and ``u`` go from best to worst.

    ``trained_on`` says how many records, candidate pairs and certain links it learnt from, ``input_hash`` from which
    data. ``together`` has the bits that patterns of agreement count less (``together.py``); ``learned`` is what
    decisions taught (``learning.py``): bits per feature, and whether they are used; ``calibration`` is how sure a
    weight makes where they are not (``calibration.py``).
    """

    object: str
    kind: Kind
    parameters: Parameters
    prior: float
    fingerprint: str
    input_hash: str
    trained_on: dict[str, int]
    run_id: str
    trained_at: str
    together: dict[str, float] = field(default_factory=dict)
    learned: dict[str, Any] = field(default_factory=dict)
    calibration: dict[str, Any] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """The comparisons the model has parameters for, in their order."""
        return tuple(c for c in COMPARISONS[self.kind] if c.name in self.parameters)

    @property
    def together_sql(self) -> str:
        """SQL over the columns ``mw_<comparison>`` for the bits a pair's agreements count less together."""
        best = {
            f"mw_{c.name}": max(math.log2(m / u) for m, u in zip(*self._shares(c.name), strict=True))
            for c in self.comparisons
        }
        return together_sql(self.together, best)

    def _shares(self, name: str) -> tuple[list[float], list[float]]:
        return self.parameters[name]["m"], self.parameters[name]["u"]

    @property
    def version(self) -> str:
        """A short name of exactly these parameters."""
        return hashlib.sha256(
            json.dumps(
                [self.parameters, self.prior, self.together, self.learned, self.calibration], sort_keys=True
            ).encode()
        ).hexdigest()[:12]


def none_sql(model: Model | None) -> str:
    """Return SQL over ``together`` for the odds that none of a record's candidates is right.

    ``together`` are the summed odds of its candidates before anything is learnt from people.
    """
    return Calibration(**model.calibration).none_sql if model is not None else "1.0"


@cache
def fingerprint(kind: Kind) -> str:
    """Return a hash of what the model compares and of how values are standardised before.

    Parameters trained for other comparisons, or on values standardised in another way, mean nothing.
    """
    digest = hashlib.sha256(json.dumps([asdict(comparison) for comparison in COMPARISONS[kind]]).encode())
    here = Path(__file__).parent
    standardize = (path for path in sorted((here.parent / "standardize").rglob("*")) if path.suffix in _READ)
    for path in (*(here / name for name in _MEANING), *standardize):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def save_model(model: Model, folder: Path, run: RunContext) -> Path:
    """Write the model as ``<object>-<time>-<version>.json`` below ``folder``, all or nothing; return the path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{model.object}-{run.started_at:%Y%m%dT%H%M%S}-{model.version}.json"
    write_atomically(path, json.dumps(asdict(model), indent=1, sort_keys=True))
    return path


def latest_model(folder: Path, sides: Sides) -> tuple[Model, Path] | None:
    """Return the newest model of this object that still fits what is compared, or None.

    Raises ResolutionError for a file that cannot be read as a model.
    """
    for path in sorted(folder.glob(f"{sides.object}-*.json"), reverse=True):
        model = read_model(path)
        if model is not None and model.fingerprint == fingerprint(sides.kind):
            return model, path
    return None


def read_model(path: Path) -> Model | None:
    """Return the model in ``path``, or None when it was written in another format."""
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return Model(**document) if document.get("format") == FORMAT else None
    except (ValueError, TypeError) as error:
        raise ResolutionError(
            f"the matching model {path.name} cannot be read",
            why=str(error),
            next_step="delete the file and run: crosswalk sync --full",
        ) from error
