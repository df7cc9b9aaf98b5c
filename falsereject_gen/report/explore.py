"""The entity graph as a page of its own: the report's explorer, alone, as large as the window.

Places are worked out in Python; the page draws. Beyond `MOST_*` a browser gets slow, and the page
is not written: narrow it to a category or to the heaviest entities.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from falsereject_gen.errors import UsageError
from falsereject_gen.report.assets import inlined, render, write_page
from falsereject_gen.report.coverage import Categories
from falsereject_gen.report.pack import embed, pack_graph
from falsereject_gen.report.subject import Subject

__all__ = ["MOST_ENTITIES", "MOST_RELATIONS", "write_explorer"]

MOST_ENTITIES, MOST_RELATIONS = 20_000, 80_000
SCRIPTS = ("base.js", "graph.js")


def write_explorer(subject: Subject, target: Path, rng: int = 0) -> dict[str, int]:
    """Write the page.

    Args:
        subject: the graph and what is known around it.
        target: an .html file.
        rng: seed of the positions.

    Returns:
        What is on it: `entities`, `relations`, `seeds` (with a text), `seeds_named`, `rows`.

    Raises:
        UsageError: the graph is larger than a browser can draw, or the file is no .html.
        StoreError: the page cannot be written.
    """
    graph = subject.graph
    size = len(graph), graph.number_of_edges()
    if target.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--out {target}: the page is HTML; end its name in .html")
    if size[0] > MOST_ENTITIES or size[1] > MOST_RELATIONS:
        raise UsageError(
            f"{size[0]:,} entities with {size[1]:,} relations; a browser draws {MOST_ENTITIES:,} "
            f"with {MOST_RELATIONS:,}: narrow it with --category ID or --most 5000"
        )
    rows = sum(c.status == "accepted" for c in subject.candidates or ())
    named = {seed for _, seeds in graph.nodes(data="seeds") for seed in seeds or ()}
    found = {
        "entities": size[0],
        "relations": size[1],
        "seeds": len(subject.seeds),
        "seeds_named": len(named),
        "rows": rows,
    }
    data = pack_graph(graph, _categories(subject), rng, subject.seeds, subject.candidates)
    page = render(
        "explore.html.j2",
        title=subject.title,
        whole=subject.whole,
        found=found,
        run=subject.candidates is not None,
        entities=size[0],
        relations=size[1],
        **inlined(("page.css", "explore.css"), SCRIPTS, embed(data)),
    )
    write_page(target, page)
    return found


def _categories(subject: Subject) -> Categories:
    """Those that the graph has, in the order of the taxonomy; unknown ones last."""
    there: Counter[str] = Counter(
        str(name) for _, names in subject.graph.nodes(data="categories") for name in names or ()
    )
    ids: Sequence[str] = [i for i in subject.names if i in there]
    ids = [*ids, *sorted(set(there) - set(ids))]
    given: dict[str, Any] = {i: subject.names.get(i) or {} for i in ids}
    return Categories(given, ())
