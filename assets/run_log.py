"""The console logger of a run: one short line per step and per progress message, for people who watch a terminal."""

import logging
import sys
from typing import Any

import dagster as dg


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        meta: dict[str, Any] = getattr(record, "dagster_meta", {})
        step = str(meta.get("step_key") or "run").replace("__", "/", 1)
        message = str(meta.get("orig_message") or record.getMessage())
        return f"{self.formatTime(record, '%H:%M:%S')}  {step:<28} {message}"


class _Filter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        meta: dict[str, Any] = getattr(record, "dagster_meta", {})
        event = meta.get("dagster_event")
        # What a failed step took down with it is clear from its own message.
        skipped = record.getMessage().rstrip().endswith("Not executing.")
        return event is None and record.levelno >= logging.INFO and not skipped


def _gates_something(record: logging.LogRecord) -> bool:
    return "without gating on it" not in record.getMessage()


def _short_lines(_init: dg.InitLoggerContext) -> logging.Logger:
    """Return a logger that prints progress messages only; the event log keeps everything."""
    # What depends on a step that was not begun is not begun either: that its checks said nothing is no news.
    logging.getLogger("dagster._core.execution.plan.active").addFilter(_gates_something)
    logger = logging.getLogger("crosswalk.run")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.handlers.clear()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line())
    handler.addFilter(_Filter())
    logger.addHandler(handler)
    return logger


console_logger = dg.LoggerDefinition(
    _short_lines, description="One short line per progress message, on standard error.", config_schema={}
)
