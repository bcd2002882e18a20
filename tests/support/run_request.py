"""What a worker is asked to run, see ``run_worker``; here so that asking imports nothing heavy."""

from dataclasses import dataclass, field


@dataclass
class Request:
    """One run: in which home, of which kind, how much of it, and when it is to be killed.

    ``moment`` counts from 1, 0 is never; the kill comes ``delay`` seconds after it. ``extract_only`` leaves out what
    follows extraction but publishing. ``rest`` reads by REST in pages of so many rows, 0 by Bulk whatever the size.
    ``done`` are steps that an earlier process of the same run finished. ``file_limit`` is the size in bytes that no
    file may grow beyond, once ``limit_from`` begins: a full disk that needs no disk. The off-hours
    window closes ``works_within`` seconds after the first object is awaited, 0 is never.

    ``kill`` is a moment and a number of ``killed_runs``: the run goes through Dagster and kills itself then; of the
    rest only ``environment`` is looked at.
    """

    environment: dict[str, str]
    kind: str = "full"
    run_id: str = "run"
    moment: int = 0
    delay: float = 0.0
    extract_only: bool = False
    checks: bool = False
    rest: int = 0
    done: list[str] = field(default_factory=list)
    file_limit: int = 0
    limit_from: str = ""
    works_within: float = 0.0
    kill: tuple[str, int] | None = None
