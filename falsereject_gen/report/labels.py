"""Where labels of a drawing can stand so that none lies upon another; no drawing in here.

Widths of texts are estimated from the widths of Helvetica's letters, a little on the wide side:
whoever opens an SVG may have another sans serif.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

__all__ = ["Box", "Labels", "Spot", "cuts", "text_width", "wrapped"]

_NARROW, _SLIM, _WIDE = "ijl.,:;'|!I", 'ft()[]r-/ "', "mwMW@%"
_CELL = 40.0


class Box(NamedTuple):
    """Left, top, right, bottom."""

    x1: float
    y1: float
    x2: float
    y2: float


class Spot(NamedTuple):
    """Where a text stands: the middle of its box, and its lines."""

    x: float
    y: float
    lines: tuple[str, ...]


class Labels:
    """Boxes that are taken, found quickly by the cells of a grid.

    Args:
        frame: no label leaves it.
    """

    def __init__(self, frame: Box) -> None:
        self._frame = frame
        self._taken: dict[tuple[int, int], list[Box]] = defaultdict(list)

    def take(self, box: Box) -> None:
        """Let nothing else stand in a box."""
        for cell in _cells(box):
            self._taken[cell].append(box)

    def place(
        self, lines: Sequence[str], size: float, around: Sequence[tuple[float, float]]
    ) -> Spot | None:
        """Put a text on the first of some middles that is free, and take its box; None: nowhere.

        Args:
            lines: of the text.
            size: of its letters, in px.
            around: middles of its box, the best first.
        """
        half = max(text_width(line, size) for line in lines) / 2 + 1
        high = len(lines) * size * 1.15 / 2 + 0.5
        for x, y in around:
            box = Box(x - half, y - high, x + half, y + high)
            if self._free(box):
                self.take(box)
                return Spot(x, y, tuple(lines))
        return None

    def _free(self, box: Box) -> bool:
        outer = self._frame
        if box.x1 < outer.x1 or box.y1 < outer.y1 or box.x2 > outer.x2 or box.y2 > outer.y2:
            return False
        return not any(
            box.x1 < b.x2 and box.x2 > b.x1 and box.y1 < b.y2 and box.y2 > b.y1
            for cell in _cells(box)
            for b in self._taken.get(cell, ())
        )


def cuts(box: Box, start: tuple[float, float], end: tuple[float, float]) -> bool:
    """Whether a line leads through a box (Liang and Barsky 1984)."""
    first, last = 0.0, 1.0
    for low, high, at, to in zip(box[:2], box[2:], start, end, strict=True):
        step = to - at
        if abs(step) < 1e-9:
            if not low < at < high:
                return False
            continue
        near, far = sorted(((low - at) / step, (high - at) / step))
        first, last = max(first, near), min(last, far)
    return first < last


def text_width(text: str, size: float) -> float:
    """Width of a line in px, estimated."""
    return size * 1.04 * sum(map(_advance, text))


def wrapped(text: str, most: int) -> tuple[str, ...]:
    """Lines of about `most` characters, cut at blanks."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and len(longer) > most:
            lines.append(word)
        else:
            lines[-1] = longer
    return tuple(lines)


def _advance(letter: str) -> float:
    if letter in _NARROW:
        return 0.26
    if letter in _SLIM:
        return 0.33
    if letter in _WIDE:
        return 0.86
    if ord(letter) > 0x2E7F:
        return 1.0
    return 0.69 if letter.isupper() else 0.56


def _cells(box: Box) -> Iterator[tuple[int, int]]:
    for column in range(int(box.x1 // _CELL), int(box.x2 // _CELL) + 1):
        for row in range(int(box.y1 // _CELL), int(box.y2 // _CELL) + 1):
            yield column, row
