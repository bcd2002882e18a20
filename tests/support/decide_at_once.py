"""Two or more deciding one record at the same moment, from threads or from processes of their own."""

from concurrent.futures import Executor
from multiprocessing import get_context
from multiprocessing.context import SpawnContext

from resources.decisions import Decision, DecisionStore, decision_row
from resources.decisions_acts import decide_at

SPAWN: SpawnContext = get_context("spawn")


def decide_once(url: str, user: str, record: str, acts: int) -> str | None:
    """Decide as ``user``; return None where the judgement was kept, else who was faster."""
    store = DecisionStore(url)
    try:
        row = decision_row("account", record, f"c-{user}", "positive", user, None, None)
        found = decide_at(store, row, acts)
        return None if isinstance(found, Decision) else found.by_user
    finally:
        store.close()


def all_at_once(pool: Executor, url: str, users: list[str], record: str, acts: int) -> dict[str, str | None]:
    """User → None where theirs was kept, else who was faster."""
    waiting = {user: pool.submit(decide_once, url, user, record, acts) for user in users}
    return {user: future.result(timeout=60) for user, future in waiting.items()}
