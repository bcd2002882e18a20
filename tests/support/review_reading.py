"""Reads a page as somebody who sees no colours and has no JavaScript: links, forms, and what is wrong with them."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "link", "input", "br", "hr", "img"}


@dataclass
class Form:
    """A form: where it goes and what it sends as it is."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[dict[str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """A page taken apart; ``faults`` are those a screen reader would stumble over."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.links: dict[str, str] = {}
        self.forms: list[Form] = []
        self.faults: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._open: list[str] = []
        self._said = ""
        self._link: str | None = None
        self._labels: set[str] = set()
        self._inputs: list[tuple[str, bool]] = []
        self.feed(text)
        self.close()
        self._judge()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        if tag == "a" and "href" in given:
            self._link, self._said = given["href"], given.get("aria-label", "")
        if tag == "label" and "for" in given:
            self._labels.add(given["for"])
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get")))
        if tag in ("input", "select", "textarea"):
            self._field(given)
        if tag == "button":
            self._said = given.get("aria-label", "")
            self.forms[-1].buttons.append(given)
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._link is not None:
            self.links[" ".join(self._said.split())] = self._link
        if tag in ("a", "button") and not self._said.strip():
            self.faults.append(f"a {tag} says nothing")
        while self._open and self._open.pop() != tag:
            self.faults.append(f"an element within {tag} is not closed")

    def handle_data(self, data: str) -> None:
        self._said += data

    def form(self, action: str) -> Form:
        """The form that goes to ``action``."""
        return next(form for form in self.forms if form.action == action)

    def _field(self, given: dict[str, str]) -> None:
        if self.forms and "name" in given and given.get("type") != "checkbox":
            self.forms[-1].fields[given["name"]] = given.get("value", "")
        if given.get("type") != "hidden":
            self._inputs.append((given.get("id", ""), "label" in self._open or "aria-label" in given))

    def _judge(self) -> None:
        names = [tag for tag, _ in self.tags]
        ids = [given["id"] for _, given in self.tags if "id" in given]
        self.faults += [f"{count} headings of the first order" for count in [names.count("h1")] if count != 1]
        self.faults += [f"the id {name} stands twice" for name in ids if ids.count(name) > 1]
        self.faults += [
            f"the field {name!r} has no label" for name, has in self._inputs if not has | (name in self._labels)
        ]
        self.faults += ["a table without column headers"] * (names.count("table") - names.count("thead"))
        self.faults += [f"{tag} has a style" for tag, given in self.tags if "style" in given]
        self.faults += [f"{tag} has script" for tag, given in self.tags if any(re.match("on", name) for name in given)]
        self.faults += [f"{tag} is not ours" for tag in names if tag in ("iframe", "object", "style", "base", "img")]
        if not any(tag == "html" and given.get("lang") for tag, given in self.tags):
            self.faults.append("the page has no language")
