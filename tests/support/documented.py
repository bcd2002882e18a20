"""The commands that README and docs show: where each stands, and what is wrong with one that does not exist.

Belongs here: reading the pages and holding a command to the program it names. Which commands are run, and how, is in
``tests/pipeline/test_documented_commands.py``.
"""

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click

from apps.cli.main import COMMANDS, cli

ROOT = Path(__file__).parents[2]
#: Pages that show commands; the rest of the Markdown describes data, or what was once the case.
PAGES = (
    "README.md",
    "benchmarks/README.md",
    "data_contracts/tables/README.md",
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").glob("**/*.md"))),
)
#: What a fenced block of commands is called; other blocks hold settings, SQL, Python, JSON and drawings.
SHELL = ("", "sh", "bash", "console")

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"`([^`]+)`")
_ASSIGNMENT = re.compile(r"^[A-Z][A-Z_]*=")
_OURS = ("crosswalk", "make", "python", "dagster", "dagster-webserver", "dagster-daemon")


@dataclass(frozen=True)
class Shown:
    """A command as a page shows it, on one line and without its comment; ``typed`` where it stands in a block."""

    page: str
    line: int
    text: str
    typed: bool

    @property
    def words(self) -> list[str]:
        """The words, without assignments before them and without the folder of the program."""
        found = shlex.split(self.text)
        while found and _ASSIGNMENT.match(found[0]):
            found = found[1:]
        return [found[0].removeprefix(".venv/bin/"), *found[1:]] if found else []

    @property
    def program(self) -> str:
        """The program that would be started; empty for a name of a file or folder."""
        return self.words[0] if self.words else ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"


@cache
def shown() -> tuple[Shown, ...]:
    """Return every command of every page, in the order of the pages."""
    return tuple(item for page in PAGES for item in _of_page(page))


def _of_page(page: str) -> Iterator[Shown]:
    text = (ROOT / page).read_text(encoding="utf-8")
    for block in _FENCE.finditer(text):
        if block[2] in SHELL:
            yield from _of_block(page, text.count("\n", 0, block.start(3)) + 1, block[3])
    # Of the same length, so that the lines keep their numbers.
    prose = _FENCE.sub(lambda block: re.sub(r"[^\n]", " ", block[0]), text)
    for span in _SPAN.finditer(prose):
        item = Shown(page, prose.count("\n", 0, span.start()) + 1, _one_line(span[1]), typed=False)
        if _names_a_command(item.text):
            yield item


def _of_block(page: str, first: int, block: str) -> Iterator[Shown]:
    lines = block.split("\n")
    place = 0
    while place < len(lines):
        began, whole = place, lines[place]
        while whole.endswith("\\"):
            place += 1
            whole = whole[:-1] + lines[place]
        place += 1
        if command := re.sub(r"(^|\s)#.*", "", _one_line(whole)).strip():
            yield Shown(page, first + began, command, typed=True)


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("\\|", "|")).strip()


def _names_a_command(text: str) -> bool:
    """Whether a code span is a command and not a file, a table or a key that is called alike."""
    words = [word for word in text.split() if not _ASSIGNMENT.match(word)]
    first = words[0] if words else ""
    if first.startswith(".venv/bin/"):
        return len(words) > 1
    return len(words) > 1 and (first in _OURS or first in COMMANDS)


@cache
def _targets() -> frozenset[str]:
    return frozenset(re.findall(r"^([.\w-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))


def fault(item: Shown) -> str:
    """Return what is wrong with a command: a name, an option or a target that does not exist. Empty if all is well.

    Of a program that is not ours nothing is known, and nothing is said.
    """
    program, *rest = item.words
    if program == "crosswalk":
        return fit(cli, rest)[0]
    if program in COMMANDS and not item.typed:
        return fit(cli, [program, *rest])[0]
    if program == "make":
        return _make_fault(rest)
    if program == "python" and rest[0] == "-m":
        return _module_fault(rest[1], rest[2:])
    if program.startswith("dagster"):
        return fit(_dagster(program), rest)[0]
    return ""


def is_whole(item: Shown) -> bool:
    """Return whether a ``crosswalk`` command can be started as it stands: nothing that it needs is left out."""
    return item.program == "crosswalk" and fit(cli, item.words[1:]) == ("", True)


def options_named_nowhere(page: str) -> list[str]:
    """Return options that stand by themselves on a page and belong to no command it names."""
    prose = _FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))
    alone = {
        word for span in _SPAN.findall(prose) if span.startswith("--") for word in span.split() if word[:2] == "--"
    }
    known = {option for item in shown() if item.page == page for option in _options(item)}
    return sorted(alone - known)


def _options(item: Shown) -> Iterable[str]:
    program, *rest = item.words
    if program == "python":
        return re.findall(r'"(--[\w-]+)"', _source(rest[1]))
    if program == "make":
        return re.findall(r'"(--[\w-]+)"', "".join(map(_source, re.findall(r"-m (benchmarks\.\w+)", _recipe(rest[0])))))
    words = rest if program == "crosswalk" else item.words
    if program != "crosswalk" and program not in COMMANDS:
        return ()
    command: click.Command = cli
    for word in words:
        found = command.get_command(click.Context(command), word) if isinstance(command, click.Group) else None
        command = found or command
    return [option for param in command.params for option in (*param.opts, *param.secondary_opts)]


def fit(command: click.Command, words: Sequence[str]) -> tuple[str, bool]:
    """Return what is wrong with ``words`` after ``command``, and whether they are all that it needs.

    Pages write ``[--all]`` for what may be left out, ``this|that`` for a choice, capitals for what the reader puts in.
    """
    rest = [part for word in words if (part := word.strip("[]")) not in ("", "...", "…")]
    if isinstance(command, click.Group):
        if not rest or rest[0].startswith("-"):
            unknown = [word for word in rest if word not in ("--help", "--version", "-h")]
            return (f"{command.name} has no option {unknown[0]}" if unknown else "", bool(rest))
        found = [(name, command.get_command(click.Context(command), name)) for name in rest[0].split("|")]
        if missing := [name for name, item in found if item is None]:
            return f"there is no command {missing[0]!r} of {command.name}", False
        told = [fit(item, rest[1:]) for _, item in found if item is not None]
        return next((one for one in told if one[0]), told[0])
    return _fit_leaf(command, rest)


def _fit_leaf(command: click.Command, words: list[str]) -> tuple[str, bool]:
    options = {name: param for param in command.params for name in (*param.opts, *param.secondary_opts)}
    places = [param for param in command.params if isinstance(param, click.Argument)]
    given, waiting = [], list(words)
    while waiting:
        word = waiting.pop(0)
        for name in word.split("|") if word.startswith("-") else ():
            option = options.get(name.partition("=")[0])
            if option is None:
                return f"crosswalk {command.name} has no option {name}", False
            if isinstance(option, click.Option) and not option.is_flag:
                if not waiting and name != "--support-bundle":
                    return "", False
                if waiting and (told := _value_fault(option, waiting.pop(0))):
                    return told, False
        if not word.startswith("-"):
            given.append(word)
    if len(given) > len(places) and not any(param.nargs == -1 for param in places):
        return f"crosswalk {command.name} takes no {given[-1]!r}", False
    told = next((told for param, value in zip(places, given, strict=False) if (told := _value_fault(param, value))), "")
    return told, not told and len(given) >= sum(param.required for param in places)


def _value_fault(param: click.Parameter, value: str) -> str:
    """A word that is none of the allowed ones; a word in capitals stands for one."""
    kind = param.type
    if not isinstance(kind, click.Choice) or value.isupper() or value in kind.choices:
        return ""
    return f"{param.name} is one of {', '.join(map(str, kind.choices))}, not {value!r}"


def _dagster(program: str) -> click.Command:
    """The command line of Dagster's own programs."""
    if program == "dagster-webserver":
        from dagster_webserver.cli import dagster_webserver

        return dagster_webserver
    from dagster._cli import create_dagster_cli
    from dagster._daemon.cli import create_dagster_daemon_cli

    return create_dagster_daemon_cli() if program == "dagster-daemon" else create_dagster_cli()


def _make_fault(words: list[str]) -> str:
    makefile = (ROOT / "Makefile").read_text()
    for word in words:
        name, given, _ = word.partition("=")
        if (
            given
            and not re.search(rf"\$[({{]{name}\b|^{name} ", makefile, re.MULTILINE)
            and f"$({name})" not in makefile
        ):
            return f"the Makefile has no variable {name}"
        if not given and word.isascii() and word not in _targets():
            return f"the Makefile has no target {word!r}"
    return ""


def _recipe(target: str) -> str:
    found = re.search(rf"^{re.escape(target)}:.*?(?=^\S|\Z)", (ROOT / "Makefile").read_text(), re.DOTALL | re.MULTILINE)
    return found[0] if found else ""


def _source(module: str) -> str:
    """The text of a module that is started with ``python -m``; empty if there is none."""
    place = ROOT.joinpath(*module.split("."))
    for file in (place.with_suffix(".py"), place / "__main__.py"):
        if file.is_file():
            return file.read_text(encoding="utf-8")
    return ""


def _module_fault(module: str, words: list[str]) -> str:
    source = _source(module)
    if not source:
        return f"there is no module {module}"
    missing = [word for word in words if word.startswith("--") and f'"{word}"' not in source]
    return f"{module} has no option {missing[0]}" if missing else ""
