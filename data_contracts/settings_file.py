"""Reading ``crosswalk.yaml``: YAML with line numbers into ``Settings``, and every problem into a sentence.

What the keys mean is in ``data_contracts.settings``; whether a list, field or record exists in an org is not
checked here.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from data_contracts.errors import SettingsError
from data_contracts.mapping_rules import Fault, all_shape_problems
from data_contracts.settings import Settings
from data_contracts.settings_words import Key, allowed_words, nearest, unknown_names

DEFAULT_FILE = "crosswalk.yaml"
#: Keys whose value may hold a secret: the message names the key only.
_SECRET = frozenset({"url", "webhook_url", "password_hash"})


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where it stands, what it says, what would be right."""

    line: int | None
    key: str
    message: str
    value: str | None = None
    allowed: tuple[str, ...] = ()
    nearest: str | None = None

    def __str__(self) -> str:
        place = f"line {self.line}, " if self.line else ""
        text = f"{place}{self.key}: {self.message}" if self.key else f"{place}{self.message}"
        if self.value is not None:
            text += f" (it says {self.value})"
        if self.allowed and (len(self.allowed) <= 10 or not self.nearest):
            text += f"; allowed: {', '.join(self.allowed)}"
        return f"{text}; did you mean {self.nearest}?" if self.nearest else text

    def as_dict(self) -> dict[str, Any]:
        """The problem for ``--json``."""
        return asdict(self)


class SettingsFileError(SettingsError):
    """Everything that is wrong with one settings file, in ``problems``."""

    def __init__(self, file: str, problems: tuple[Problem, ...]) -> None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(
            f"the settings file {file} has {count}:\n{lines}",
            next_step="correct the lines above, then run: crosswalk settings check",
        )
        self.file, self.problems = file, problems


def settings_path(path: Path | None = None) -> tuple[Path, bool]:
    """Return the settings file and whether somebody named it (an argument or ``CROSSWALK_CONFIG``)."""
    named = path or (Path(os.environ["CROSSWALK_CONFIG"]) if os.environ.get("CROSSWALK_CONFIG") else None)
    return (named or Path(DEFAULT_FILE)).expanduser(), named is not None


def load_settings(path: Path | None = None) -> Settings:
    """Return the settings of ``path``, else of ``CROSSWALK_CONFIG``, else of ``crosswalk.yaml``.

    Without a file of the default name the defaults hold; a file that was named and is missing is an error.
    Paths under ``reference`` and ``users`` come back absolute: they are relative to the settings file.
    Raises SettingsFileError listing every problem with its line, or SettingsError when the file cannot be read.
    """
    file, named = settings_path(path)
    if not file.exists() and not named:
        return Settings()
    document = _document(file, _text(file))
    lines, values = _lines(document), _anchored(_plain(document), file.resolve().parent)
    unknown = [_unknown(key, words, lines, values) for key, words in unknown_names(values)]
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        unknown += [_problem(dict(item), lines) for item in error.errors()]
        raise SettingsFileError(str(file), _in_order(unknown)) from error
    unknown += [_mapping_problem(found, lines) for found in all_shape_problems(settings)]
    if unknown:
        raise SettingsFileError(str(file), _in_order(unknown))
    settings._lines, settings._file = lines, file.name
    return settings


def _text(file: Path) -> str:
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"cannot read the settings file {file}: {error.strerror}",
            why="it is named by CROSSWALK_CONFIG or by an option",
            next_step="correct the name, or write a first one: crosswalk init",
        ) from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise SettingsFileError(str(file), (Problem(line, "", message),)) from error


def _document(file: Path, text: str) -> CommentedMap:
    try:
        document = YAML(typ="rt").load(text)
    except YAMLError as error:
        raise SettingsFileError(str(file), (_yaml_problem(error, text),)) from error
    if document is None:
        message = "the file holds no settings; write at least one key (crosswalk.example.yaml shows all), or remove it"
        raise SettingsFileError(str(file), (Problem(1, "", message),))
    if not isinstance(document, CommentedMap):
        kind = "a list" if isinstance(document, CommentedSeq) else "a single value"
        message = f"the file holds {kind} where keys such as connection: and objects: are expected"
        raise SettingsFileError(str(file), (Problem(1, "", message),))
    return document


def _yaml_problem(error: YAMLError, text: str) -> Problem:
    if not isinstance(error, MarkedYAMLError):
        unreadable = re.search(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
        position = unreadable.start() if unreadable else 0
        return Problem(text.count("\n", 0, position) + 1, "", "the file holds a control character; remove it")
    said = f"{error.context or ''} {error.problem or ''}"
    mark = error.problem_mark
    if "\\t" in said:
        message = "a tab is used for indentation; YAML allows spaces only"
    elif "quoted scalar" in said and error.context_mark:
        mark, message = error.context_mark, "a quote is opened here and never closed"
    elif found := re.search(r"found duplicate key \"?([^\"\s]+)", said):
        message = f"the key {found.group(1)} stands twice in the same place; keep one"
    else:
        message = f"this is not YAML: {said.strip()}"
    return Problem(mark.line + 1 if mark else None, "", message)


def _plain(node: Any, inside: tuple[int, ...] = ()) -> Any:
    """Return plain dicts and lists with text keys; an alias that contains itself becomes null."""
    if id(node) in inside:
        return None
    if isinstance(node, Mapping):
        return {str(key): _plain(value, (*inside, id(node))) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value, (*inside, id(node))) for value in node]
    return node


def _anchored(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Make the paths of reference sources absolute, in place."""
    sections = [values.get("reference"), values.get("users")]
    for section in sections:
        for source in section.values() if isinstance(section, dict) else ():
            if isinstance(source, dict) and isinstance(source.get("path"), str):
                source["path"] = str(folder / Path(source["path"]).expanduser())
    return values


def _lines(node: Any, key: Key = ()) -> dict[Key, int]:
    """Return the line of every key below ``node``; aliases are followed once."""
    found: dict[Key, int] = {}
    children = list(node.items()) if isinstance(node, CommentedMap) else []
    if isinstance(node, CommentedSeq):
        children = list(enumerate(node))
    for name, child in children:
        here = (*key, name if isinstance(node, CommentedSeq) else str(name))
        place = node.lc.data.get(name) if node.lc.data else None
        if place:
            found[here] = place[0] + 1
        if len(here) < 8:
            found |= _lines(child, here)
    return found


def _line(lines: dict[Key, int], key: Key) -> int | None:
    while key and key not in lines:
        key = key[:-1]
    return lines.get(key)


def _in_order(found: list[Problem]) -> tuple[Problem, ...]:
    unique = {(problem.line, problem.key, problem.message): problem for problem in found}
    return tuple(sorted(unique.values(), key=lambda problem: problem.line or 0))


def _problem(item: dict[str, Any], lines: dict[Key, int]) -> Problem:
    key: Key = tuple(item["loc"])
    if item["type"] == "extra_forbidden" or key[-1:] == ("[key]",):
        key = key[:-1] if key[-1] == "[key]" else key
        return _unknown(key, allowed_words(key[:-1]), lines)
    value = item.get("input")
    if value is None and item["type"] != "missing":
        return Problem(_line(lines, key), _name(key), "has no value; give it one or remove the key")
    shown = repr(value) if isinstance(value, (str, int, float, bool)) and key[-1] not in _SECRET else None
    if item["type"] == "literal_error":
        allowed = tuple(re.findall(r"'([^']+)'", str(item["ctx"]["expected"])))
        message = "not one of the allowed values"
        return Problem(_line(lines, key), _name(key), message, shown, allowed, nearest(str(value), allowed))
    message = _sentence(item)
    return Problem(_line(lines, key), _name(key), message, None if shown and shown in message else shown)


def _mapping_problem(found: Fault, lines: dict[Key, int]) -> Problem:
    told = ": ".join(filter(None, [found.what, found.why]))
    told += f"; {found.next_step}" if found.next_step else ""
    return Problem(_line(lines, found.key), _name(found.key), told, nearest=found.nearest)


def _sentence(item: dict[str, Any]) -> str:
    """Pydantic's message in an admin's words."""
    kind, context = item["type"], item.get("ctx", {})
    if kind == "too_long":
        return f"at most {context['max_length']} entries are allowed, here are {context['actual_length']}"
    if kind in ("model_type", "dict_type"):
        return "keys and values are expected below this key"
    if kind == "tuple_type":
        return "a list is expected, for example: [first, second]"
    text = str(item["msg"]).removeprefix("Value error, ").replace("Input should be", "must be")
    return text if kind == "value_error" else text[:1].lower() + text[1:]


def _unknown(key: Key, words: tuple[str, ...], lines: dict[Key, int], values: Any = None) -> Problem:
    word, message = str(key[-1]), "unknown key"
    if isinstance(key[-1], int):
        node: Any = values
        for part in key:
            node = node[part]
        word, message = str(node), f"unknown name {str(node)!r}"
    return Problem(_line(lines, key), _name(key), message, None, words, nearest(word, words))


def _name(key: Key) -> str:
    return ".".join(f"{part + 1}" if isinstance(part, int) else part for part in key)
