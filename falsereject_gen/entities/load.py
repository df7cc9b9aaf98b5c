"""A graph from disk: of a run folder, of a folder that `graph build` made, or any file of its two.

GraphML of other tools is taken too; what our own files have and others lack (kind, seeds) is left
empty. Anything that is no graph is told in one line.
"""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import networkx as nx

from falsereject_gen.errors import InputError

__all__ = ["load_graph"]

_LISTS = ("categories", "seeds", "variants")
_PLACES = ("graph/entities.json", "entities.json", "graph/entities.graphml", "entities.graphml")
_FAULTS = (ValueError, KeyError, TypeError, AttributeError, IndexError, nx.NetworkXError)


def load_graph(path: Path) -> "nx.MultiDiGraph":
    """Read an entity graph.

    Args:
        path: a run folder, a folder with `entities.json` or `entities.graphml`, or such a file.

    Raises:
        InputError: it is missing, empty, broken, or has an entity twice.
    """
    file = _file(path)
    if file.suffix.lower() == ".graphml":
        graph = _directed(_graphml(file))
    elif file.suffix.lower() == ".json":
        graph = _directed(_node_link(file))
    else:
        raise InputError("a graph is a .json (node-link) or .graphml file, or a run", path=file)
    if not graph:
        raise InputError("the graph has no entity", path=file)
    _mend(graph, file)
    return graph


def _file(path: Path) -> Path:
    if path.is_dir():
        for place in _PLACES:
            if (path / place).is_file():
                return path / place
        what = "no graph in this folder: entities.json is missing; make one with `graph build`"
        raise InputError(what, path=path)
    if not path.is_file():
        raise InputError("there is no such file or folder", path=path)
    return path


def _node_link(path: Path) -> "nx.Graph":
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as fault:
        raise InputError(f"it cannot be read as JSON: {fault}", path=path) from None
    try:
        nodes = [node["id"] for node in found["nodes"]]
        edges = "edges" if "edges" in found else "links"
        ends = [(edge["source"], edge["target"]) for edge in found[edges]]
        _unique(nodes, path)
        _known(nodes, ends, path)
        return nx.node_link_graph(found, edges=edges)
    except _FAULTS as fault:
        if isinstance(fault, InputError):
            raise
        what = f"no node-link graph (`nodes` with an `id`, `edges` between them): {fault!r}"
        raise InputError(what, path=path) from None


def _graphml(path: Path) -> "nx.Graph":
    try:
        nodes, ends = [], []
        for _, element in ElementTree.iterparse(path):
            kind = element.tag.rpartition("}")[2]
            if kind == "node":
                nodes.append(element.get("id"))
            elif kind == "edge":
                ends.append((element.get("source"), element.get("target")))
    except (OSError, ElementTree.ParseError, ValueError) as fault:
        raise InputError(f"it cannot be read as GraphML: {fault}", path=path) from None
    _unique(nodes, path)
    _known(nodes, ends, path)
    try:
        return nx.read_graphml(path)
    except (*_FAULTS, ElementTree.ParseError) as fault:
        raise InputError(f"it cannot be read as GraphML: {fault}", path=path) from None


def _unique(nodes: Iterable[Any], path: Path) -> None:
    twice = [str(name) for name, count in Counter(map(str, nodes)).items() if count > 1]
    if twice:
        more = f" (and {len(twice) - 1} more)" if len(twice) > 1 else ""
        raise InputError(f"entity id `{twice[0]}` stands twice{more}", path=path)


def _known(nodes: Iterable[Any], ends: Iterable[tuple[Any, Any]], path: Path) -> None:
    there = set(nodes)
    for number, pair in enumerate(ends, 1):
        for end in pair:
            if end not in there:
                raise InputError(f"no entity has its end `{end}`", path=path, at=f"edge {number}")


def _directed(graph: "nx.Graph") -> "nx.MultiDiGraph":
    """The same graph as a directed multigraph; an undirected edge is taken as it is written."""
    if graph.is_multigraph() and graph.is_directed():
        return nx.MultiDiGraph(graph)
    out = nx.MultiDiGraph(**graph.graph)
    out.add_nodes_from(graph.nodes(data=True))
    out.add_edges_from(graph.edges(data=True))
    return out


def _mend(graph: "nx.MultiDiGraph", path: Path) -> None:
    """Lists that GraphML holds as text become lists again, and weights are numbers."""
    for name, data in graph.nodes(data=True):
        _values(data, path, f"entity `{name}`")
        for key in _LISTS:
            data.setdefault(key, [])
    for source, target, data in graph.edges(data=True):
        _values(data, path, f"relation `{source}` to `{target}`")


def _values(data: dict[str, Any], path: Path, at: str) -> None:
    for key in _LISTS:
        if isinstance(data.get(key), str):
            data[key] = [part for part in data[key].split("|") if part]
    weight = data.setdefault("weight", 1)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not weight >= 0:
        raise InputError(f"`weight` is no number of 0 or more: {weight!r}", path=path, at=at)
