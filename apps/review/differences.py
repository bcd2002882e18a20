"""Where two values differ, word by word, so that a person sees it without reading both twice. Nothing is scored."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

from apps.review.formats import NOTHING, value

#: Longer texts are compared as a whole: the marks would help nobody, and take long to find.
MOST_WORDS = 200

_WORD = re.compile(r"\s+|\w+|[^\w\s]", re.UNICODE)


@dataclass(frozen=True)
class Piece:
    """A stretch of a value; ``differs`` when the other side does not have it there."""

    text: str
    differs: bool


def marked(left: object, right: object) -> tuple[list[Piece], list[Piece]]:
    """Return both values in pieces; case alone is no difference. A missing side marks nothing."""
    one, other = value(left), value(right)
    if NOTHING in (one, other) or one.casefold() == other.casefold():
        return [Piece(one, False)], [Piece(other, False)]
    mine, theirs = _WORD.findall(one), _WORD.findall(other)
    if len(mine) > MOST_WORDS or len(theirs) > MOST_WORDS:
        return [Piece(one, True)], [Piece(other, True)]
    matcher = SequenceMatcher(None, [w.casefold() for w in mine], [w.casefold() for w in theirs], autojunk=False)
    here: list[Piece] = []
    there: list[Piece] = []
    for tag, start, end, start_other, end_other in matcher.get_opcodes():
        for pieces, text in ((here, mine[start:end]), (there, theirs[start_other:end_other])):
            if text:
                pieces.append(Piece("".join(text), tag != "equal" and bool("".join(text).strip())))
    return here, there
