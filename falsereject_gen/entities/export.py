"""The entity graph for other tools: GraphML, node-link JSON, CSV tables of entities and relations.

In GraphML and CSV lists are joined by `|`. No cell of a CSV file is a formula.
"""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import networkx as nx

from falsereject_gen.entities.graph import write_graph
from falsereject_gen.errors import InputError, UsageError
from falsereject_gen.files import replace_file

__all__ = ["FORMATS", "export_graph"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_NODE = ("id", "surface", "kind", "like", "weight", "categories", "seeds", "variants")
_EDGE = ("source", "label", "target", "weight", "seeds")


def export_graph(graph: "nx.MultiDiGraph", form: str, target: Path) -> list[Path]:
    """Write a graph in one of `FORMATS`.

    Args:
        graph: the merged graph.
        form: `graphml`, `node-link` or `csv`.
        target: the file; CSV has a second one beside it, `<name>.entities.csv`, because an edge
            list has no place for kinds, nor for entities without a relation.

    Returns:
        The files written.

    Raises:
        UsageError: no such format.
        StoreError: a file cannot be written.
    """
    if form not in FORMATS:
        raise UsageError(f"--format {form}: unknown; known are {', '.join(FORMATS)}")
    made = FORMATS[form](graph, target)
    for path, data in made.items():
        replace_file(path, [data])
    return list(made)


def _own(graph: "nx.MultiDiGraph", name: str) -> bytes:
    """One of the two files that every run writes."""
    with TemporaryDirectory() as folder:
        try:
            write_graph(graph, Path(folder))
        except (nx.NetworkXError, TypeError, ValueError) as fault:
            raise InputError(f"an attribute of the graph cannot be written: {fault}") from None
        return (Path(folder) / name).read_bytes()


def _graphml(graph: "nx.MultiDiGraph", target: Path) -> dict[Path, bytes]:
    return {target: _own(graph, "entities.graphml")}


def _node_link(graph: "nx.MultiDiGraph", target: Path) -> dict[Path, bytes]:
    return {target: _own(graph, "entities.json")}


def _csv(graph: "nx.MultiDiGraph", target: Path) -> dict[Path, bytes]:
    nodes = ({"id": name, **data} for name, data in graph.nodes(data=True))
    edges = ({"source": a, "target": b, **data} for a, b, data in graph.edges(data=True))
    return {
        target: _table(_EDGE, edges),
        target.with_suffix(".entities.csv"): _table(_NODE, nodes),
    }


def _table(columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> bytes:
    out = io.StringIO(newline="")
    table = csv.writer(out, quoting=csv.QUOTE_ALL)
    table.writerow(columns)
    table.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    return out.getvalue().encode("utf-8-sig", "backslashreplace")


def _cell(value: Any) -> str:
    """Text that no spreadsheet takes for a formula."""
    joined = isinstance(value, list | tuple)
    text = "|".join(map(str, value)) if joined else "" if value is None else str(value)
    return f"'{text}" if text.lstrip("' ").startswith(_FORMULA) else text


FORMATS: dict[str, Callable[["nx.MultiDiGraph", Path], dict[Path, bytes]]] = {
    "graphml": _graphml,
    "node-link": _node_link,
    "csv": _csv,
}
"""How a graph can be written."""
