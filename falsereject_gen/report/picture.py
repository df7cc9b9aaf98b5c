"""The entity graph as a still picture (SVG, or a PNG of it) for a paper or a README.

Colour is the kind, size the number of seeds; labels never lie upon each other, heavy entities come
first, and how many fitted is returned. Text is text (sans serif), so it can be searched and edited.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args
from xml.sax.saxutils import escape, quoteattr

from falsereject_gen.entities.draw import label, main_category, positions
from falsereject_gen.errors import UsageError
from falsereject_gen.files import replace_file
from falsereject_gen.records import Kind
from falsereject_gen.report.assets import asset
from falsereject_gen.report.labels import Box, Labels, Spot, cuts, text_width, wrapped
from falsereject_gen.report.raster import encoder_of

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Theme", "write_picture"]

Theme = Literal["light", "dark"]
KINDS: tuple[str, ...] = get_args(Kind)
MOST = 5_000
FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
_TOP, _BOTTOM, _SIDE = 44.0, 48.0, 14.0
_EACH, _HEAD = 6, 15.0
"""Entities with a name in a cluster; more would be a grey mass at the size of a page."""
_BAD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def write_picture(
    graph: "nx.MultiDiGraph",
    target: Path,
    *,
    title: str,
    names: Mapping[str, str],
    clusters: bool,
    width: int = 1200,
    theme: Theme = "light",
    dpi: int | None = None,
    rng: int = 0,
) -> dict[str, int]:
    """Draw a graph.

    Args:
        graph: of one category or of all.
        target: an .svg or .png file.
        title: stands at the top.
        names: of categories, for the labels of clusters.
        clusters: one disc a category, with its name; else one disc of everything.
        width: in px; the height follows.
        theme: of the colours; the background is drawn.
        dpi: dots an inch of a PNG, with 96 px to the inch; None: 192.
        rng: seed of the positions.

    Returns:
        `entities`, `relations`, and `labelled` entities.

    Raises:
        UsageError: it cannot be drawn (`encoder_of`), or the graph is too large for a picture.
        StoreError: the file cannot be written.
    """
    encode = encoder_of(target, dpi)
    if len(graph) > MOST:
        raise UsageError(
            f"{len(graph):,} entities are too many for a still picture; at most "
            f"{MOST:,}: narrow it with --category ID or --most 500"
        )
    drawing = _Drawing(graph, clusters, width, _palette(theme), rng)
    if clusters:
        drawing.discs(names)
    drawing.lines()
    drawing.dots()
    labelled = drawing.names(11.0 if clusters else 12.0)
    text = drawing.whole(title)
    replace_file(target, [encode(text, drawing.size, FONT)])
    return {"entities": len(graph), "relations": graph.number_of_edges(), "labelled": labelled}


class _Drawing:
    """Collects the elements of a picture; coordinates are px of the view box."""

    def __init__(
        self, graph: "nx.MultiDiGraph", clusters: bool, width: int, ink: dict[str, str], rng: int
    ) -> None:
        self._graph, self._ink, self._width = graph, ink, width
        shape = graph if clusters else _one_home(graph)
        found = positions(shape, rng)
        xs, ys = [[place[axis] for place in found.values()] or [0.0] for axis in (0, 1)]
        self._k = (width - 2 * _SIDE) / (max(xs) - min(xs) + (3.0 if not clusters else 1.6))
        self._k, self._clusters = min(self._k, 80.0), clusters
        inner = (max(ys) - min(ys) + (4.0 if clusters else 1.6)) * self._k
        self._height = inner + _TOP + _BOTTOM
        middle = ((max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2)
        self._at = {
            name: (
                width / 2 + (x - middle[0]) * self._k,
                _TOP + inner / 2 + (y - middle[1]) * self._k,
            )
            for name, (x, y) in found.items()
        }
        frame = Box(_SIDE / 2, _TOP, width - _SIDE / 2, self._height - _BOTTOM)
        self._labels = Labels(frame)
        self._out: list[str] = []
        self._last: list[str] = []

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in px."""
        return self._width, round(self._height)

    def discs(self, names: Mapping[str, str]) -> None:
        """A pale disc a category, and its name over it where there is room."""
        members: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for name, data in self._graph.nodes(data=True):
            members[main_category(data)].append(self._at[str(name)])
        for category, places in sorted(members.items(), key=lambda pair: (-len(pair[1]), pair[0])):
            x, y = (sum(axis) / len(places) for axis in zip(*places, strict=True))
            reach = max(math.dist((x, y), place) for place in places) + 0.55 * self._k
            self._out.append(_circle(x, y, reach, self._ink["faint"], 0.75))
            lines = wrapped(names.get(category, category), 20)
            high = len(lines) * _HEAD * 1.15 / 2
            half = max(text_width(line, _HEAD) for line in lines) / 2 + _SIDE / 2 + 2
            x = min(max(x, half), self._width - half)
            over, under = y - reach - high + 9, y + reach + high - 9
            ways = [(x, over), (x, under), (x, y), (x, y - reach / 2)]
            spot = self._labels.place(lines, _HEAD, ways)
            if spot is not None:
                self._last.append(_text(spot, _HEAD, self._ink["ink"], self._ink["bg"], 650))

    def lines(self) -> None:
        """The relations; those within a category are stronger."""
        paths: dict[bool, list[str]] = {True: [], False: []}
        for source, target in dict.fromkeys(self._graph.edges()):
            if source == target:
                continue
            (x1, y1), (x2, y2) = self._at[str(source)], self._at[str(target)]
            homes = [main_category(self._graph.nodes[name]) for name in (source, target)]
            inside = not self._clusters or homes[0] == homes[1]
            paths[inside].append(f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}")
        for inside, alpha in ((False, 0.13), (True, 0.55)):
            path = f'<path d="{"".join(paths[inside])}" fill="none" stroke="{self._ink["soft"]}"'
            self._out.append(f'{path} stroke-opacity="{alpha}" stroke-width="0.7"/>')

    def dots(self) -> None:
        """The entities; the room of each is taken, so that no label hides it."""
        heavy = sorted(self._graph.nodes(data=True), key=lambda pair: -_weight(pair[1]))
        for name, data in heavy:
            x, y = self._at[str(name)]
            r = self._radius(data)
            self._out.append(_circle(x, y, r, self._ink[_kind(data)], 1))
            if r > 2.2:
                inner = r * 0.8
                self._labels.take(Box(x - inner, y - inner, x + inner, y + inner))

    def names(self, size: float) -> int:
        """Names of entities, the heaviest first; how many found a place.

        Over many categories, groups of people stay without their names: out of its sentence, the
        name of a group beside a word of abuse reads like a statement.
        """
        order = sorted(
            self._graph.nodes(data=True), key=lambda pair: (-_weight(pair[1]), str(pair[0]))
        )
        count, inside = 0, Counter[str]()
        for name, data in order:
            home = main_category(data)
            if self._clusters and (inside[home] >= _EACH or _kind(data) == "group"):
                continue
            line = _BAD.sub("", label(str(name), data)) or "?"
            letters = size + min(4.0, 0.35 * math.sqrt(_weight(data)))
            spot = self._labels.place((line,), letters, self._around(name, data, line, letters))
            if spot is not None:
                count += 1
                inside[home] += 1
                self._last.append(_text(spot, letters, self._ink["ink"], self._ink["bg"], 400))
        return count

    def _around(
        self, name: str, data: Mapping[str, Any], line: str, size: float
    ) -> list[tuple[float, float]]:
        """Middles of the name of an entity, those first that its own relations leave free."""
        at, half = self._at[str(name)], text_width(line, size) / 2
        ends = [
            self._at[str(other)] for other in {*self._graph.succ[name], *self._graph.pred[name]}
        ]

        def crossed(middle: tuple[float, float]) -> int:
            (x, y), high = middle, size * 0.45
            box = Box(x - half, y - high, x + half, y + high)
            return sum(cuts(box, at, end) for end in ends)

        return sorted(_around(*at, self._radius(data), line, size), key=crossed)

    def whole(self, title: str) -> str:
        """The file."""
        size = f"{self._graph.number_of_nodes():,} entities, {self._graph.number_of_edges():,}"
        says = f"{_BAD.sub('', title)}: {size} relations"
        wide, high, bg = self._width, self._height, self._ink["bg"]
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high:.0f}" role="img" '
            f'width="{wide}" height="{high:.0f}" aria-label={quoteattr(says)} '
            f'font-family="{FONT}">'
        )
        back = f'<rect width="{wide}" height="{high:.0f}" fill="{bg}"/>'
        top = f'<text x="{_SIDE}" y="26" font-size="17" font-weight="650" fill="{self._ink["ink"]}"'
        body = [head, back, *self._out, *self._last, f"{top}>{escape(says)}</text>"]
        return "\n".join([*body, *self._legend(), "</svg>", ""])

    def _legend(self) -> list[str]:
        """Kinds that are in it, then the sizes."""
        x, y, out = _SIDE + 4, self._height - 17, []
        there = Counter(_kind(data) for _, data in self._graph.nodes(data=True))
        for kind in KINDS:
            if there[kind]:
                out.append(_circle(x + 2, y - 4, 5, self._ink[kind], 1))
                out.append(_plain(x + 12, y, kind, self._ink["soft"]))
                x += 26 + text_width(kind, 12.5)
        heaviest = int(max((_weight(d) for _, d in self._graph.nodes(data=True)), default=1))
        sizes = sorted({1, max(1, round(heaviest / 4)), max(1, heaviest)})
        x += 14
        for weight in sizes:
            r = self._radius({"weight": weight})
            out.append(_circle(x + r, y - 4, r, self._ink["soft"], 0.6))
            word = f"{weight} seed{'' if weight == 1 else 's'}"
            out.append(_plain(x + 2 * r + 5, y, word, self._ink["soft"]))
            x += 2 * r + 18 + text_width(word, 12.5)
        return out

    def _radius(self, data: Mapping[str, Any]) -> float:
        r = (0.1 + 0.075 * math.sqrt(_weight(data))) * self._k
        return max(1.4, min(r, 0.42 * self._k, 16.0)) if self._clusters else min(4 + r / 8, 16.0)


def _one_home(graph: "nx.MultiDiGraph") -> "nx.MultiDiGraph":
    """The same graph, all of it in one category: one disc."""
    out = graph.copy()
    for _, data in out.nodes(data=True):
        data["categories"] = ["one"]
    return out


def _around(x: float, y: float, r: float, line: str, size: float) -> list[tuple[float, float]]:
    """Middles of a label round a dot: right, left, over, under, then the corners."""
    half, high, gap = text_width(line, size) / 2 + 1, size * 0.58, r + 2
    side = gap + half
    sides = [(x + side, y), (x - side, y), (x, y - gap - high), (x, y + gap + high)]
    slant = 0.7 * gap
    corners = [
        (x + across * (slant + half), y + down * (slant + high * 0.8))
        for across in (1, -1)
        for down in (-1, 1)
    ]
    return [*sides, *corners]


def _weight(data: Mapping[str, Any]) -> float:
    return float(data.get("weight") or 0)


def _kind(data: Mapping[str, Any]) -> str:
    kind = str(data.get("kind") or "")
    return kind if kind in KINDS else "concept"


def _palette(theme: Theme) -> dict[str, str]:
    """The colours of the pages (page.css says them once)."""
    blocks = re.findall(r":root[^{]*\{([^}]*)\}", asset("page.css"))
    return dict(re.findall(r"--([\w-]+): (#\w+)", blocks[theme == "dark"]))


def _circle(x: float, y: float, r: float, fill: str, alpha: float) -> str:
    shown = "" if alpha == 1 else f' fill-opacity="{alpha}"'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" fill="{fill}"{shown}/>'


def _plain(x: float, y: float, text: str, fill: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="12.5" fill="{fill}">{escape(text)}</text>'


def _text(spot: Spot, size: float, fill: str, halo: str, weight: int) -> str:
    """Centred lines with a halo."""
    step = size * 1.15
    first = spot.y - (len(spot.lines) - 1) * step / 2 + size * 0.35
    lines = "".join(
        f'<tspan x="{spot.x:.1f}" y="{first + n * step:.1f}">{escape(line)}</tspan>'
        for n, line in enumerate(spot.lines)
    )
    bold = "" if weight == 400 else f' font-weight="{weight}"'
    return (
        f'<text text-anchor="middle" font-size="{size:.1f}" fill="{fill}" stroke="{halo}" '
        f'stroke-width="2.4" stroke-linejoin="round" paint-order="stroke"{bold}>{lines}</text>'
    )
