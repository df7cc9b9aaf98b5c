"""The picture of the graph: page, SVG and files for other tools; what is too large is told."""

import csv
import json
import re
from xml.etree import ElementTree

import networkx as nx
import pytest
from typer.testing import CliRunner

from falsereject_gen.cli.main import app
from falsereject_gen.entities.draw import heaviest, label, part
from falsereject_gen.entities.export import export_graph
from falsereject_gen.entities.graph import write_graph
from falsereject_gen.entities.load import load_graph
from falsereject_gen.errors import InputError, UsageError
from falsereject_gen.report import explore
from falsereject_gen.report.labels import Box, Labels, cuts, text_width, wrapped
from falsereject_gen.report.picture import write_picture

EVIL = '</script><img src=x onerror=alert(1)> & "so"'


def made(count=60, name="thing {}"):
    graph = nx.MultiDiGraph(loops=0)
    for i in range(count):
        graph.add_node(
            name.format(i),
            kind=("act", "person", "place")[i % 3],
            surface=name.format(i),
            like="",
            weight=1 + i % 7,
            categories=[("terrorism", "self-harm")[i % 2]],
            seeds=[f"s-{i}"],
            variants=[f"alias {i} (lemma)"] if i == 3 else [],
        )
    names = list(graph)
    for i in range(count):
        if i != (i * 7 + 1) % count:
            graph.add_edge(
                names[i], names[(i * 7 + 1) % count], key="x", label="x", weight=1, seeds=["s-1"]
            )
    return graph


@pytest.fixture
def folder(tmp_path):
    write_graph(made(), tmp_path / "g")
    return tmp_path / "g"


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def page_data(path):
    text = path.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    return text, json.loads(found[1])


def test_the_page_stands_alone_and_holds_everything(folder):
    done = run("graph", "show", folder, "--json")
    assert done.exit_code == 0, done.exception
    said = json.loads(done.stdout.strip().splitlines()[-1])
    assert (said["entities"], said["rows"]) == (60, 0)
    text, data = page_data(folder / "entity-graph.html")
    assert len(data["graph"]["nodes"]) == 60
    assert data["run"] == 0
    assert {name for name, *_ in data["categories"]} == {"self-harm", "terrorism"}
    alias, index = data["graph"]["aliases"][0]
    assert (data["strings"][alias], index) == ("alias 3", 3)
    assert not re.search(r'(src|href)="(https?:)?//', text)
    assert "script-src 'sha256-" in text


def test_the_page_of_a_run_has_its_rows_and_seeds(small_run, tmp_path):
    out = tmp_path / "p.html"
    done = run("graph", "show", small_run.out, "--out", out)
    assert done.exit_code == 0, done.exception
    _, data = page_data(out)
    rows = [c for c in data["candidates"] if c["ok"]]
    assert len(rows) == len(small_run.rows)
    shown = {data["strings"][row["r"][0]["t"]] for row in rows}
    assert shown == {row.prompt for row in small_run.rows}
    named = {data["strings"][s] for node in data["graph"]["nodes"] for s in node[7]}
    assert named == set(data["seeds"])


def test_texts_are_data_in_page_and_picture(tmp_path):
    graph = made(8, EVIL + " {}")
    write_graph(graph, tmp_path)
    assert run("graph", "show", tmp_path, "--out", tmp_path / "p.html").exit_code == 0
    text, data = page_data(tmp_path / "p.html")
    assert text.count("<script") == 3
    assert "<img" not in text
    assert f"{EVIL} 0" in data["strings"]
    write_picture(graph, tmp_path / "p.svg", title=EVIL, names={}, clusters=True)
    tree = ElementTree.parse(tmp_path / "p.svg")
    assert not list(tree.iter("{http://www.w3.org/2000/svg}img"))


def test_narrowed_to_a_category_or_the_heaviest(folder, tmp_path):
    out = tmp_path / "p.html"
    assert run("graph", "show", folder, "--category", "Terrorism", "--out", out).exit_code == 0
    text, data = page_data(out)
    assert len(data["graph"]["nodes"]) == 30
    assert "Narrowed to category terrorism: 30 of 60" in text
    assert run("graph", "show", folder, "--most", 5, "--out", out).exit_code == 0
    _, data = page_data(out)
    assert {node[4] for node in data["graph"]["nodes"]} == {7}
    done = run("graph", "show", folder, "--category", "kites", "--out", out)
    assert isinstance(done.exception, InputError)
    assert "kites" in str(done.exception)


def test_a_part_has_the_order_of_the_whole():
    graph = made()
    within = part(graph, "terrorism")
    assert list(within) == [name for name in graph if name in within]
    assert 0 < len(within) < len(graph)
    few = heaviest(graph, 7)
    assert list(few) == [name for name in graph if name in few]
    assert set(few.edges(keys=True)) == set(graph.subgraph(few).edges(keys=True))
    assert few.graph == graph.graph


def test_what_a_browser_cannot_draw_is_one_line(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(explore, "MOST_RELATIONS", 10)
    done = run("graph", "show", folder, "--out", tmp_path / "p.html")
    assert isinstance(done.exception, UsageError)
    assert "--most" in str(done.exception)
    assert not (tmp_path / "p.html").exists()


def test_a_picture_whose_labels_lie_apart(tmp_path):
    target = tmp_path / "p.svg"
    found = write_picture(made(), target, title="Two", names={}, clusters=False)
    assert found["labelled"] == 60
    tree = ElementTree.parse(target).getroot()
    space = "{http://www.w3.org/2000/svg}"
    boxes = []
    for text in tree.iter(f"{space}text"):
        for line in text.iter(f"{space}tspan"):
            size, x, y = float(text.get("font-size")), float(line.get("x")), float(line.get("y"))
            half = text_width(line.text, size) / 2
            boxes.append((x - half, y - size * 0.8, x + half, y + size * 0.2))
    assert len(boxes) == 60
    for n, a in enumerate(boxes):
        for b in boxes[n + 1 :]:
            assert a[0] >= b[2] or a[2] <= b[0] or a[1] >= b[3] or a[3] <= b[1]
    wide, high = float(tree.get("width")), float(tree.get("height"))
    assert all(box[0] >= 0 and box[2] <= wide and box[3] <= high for box in boxes)


@pytest.mark.parametrize(
    ("start", "end", "wanted"),
    [
        ((0, 5), (20, 5), True),
        ((5, 0), (5, 20), True),
        ((0, 0), (3, 3), False),
        ((0, 15), (15, 0), True),
        ((0, 25), (25, 0), False),
        ((12, 0), (12, 20), False),
        ((5, 5), (6, 6), True),
    ],
)
def test_a_line_through_a_box(start, end, wanted):
    assert cuts(Box(4, 4, 10, 10), start, end) is wanted
    assert cuts(Box(4, 4, 10, 10), end, start) is wanted


def test_a_name_stands_beside_the_line_of_its_entity(tmp_path):
    graph = nx.MultiDiGraph(loops=0)
    graph.add_nodes_from(["left", "right"], kind="act", weight=1, categories=["a"])
    graph.add_edge("left", "right", key="x", label="x")
    write_picture(graph, tmp_path / "p.svg", title="T", names={}, clusters=False)
    text = (tmp_path / "p.svg").read_text("utf-8")
    x1, y1, x2, y2 = map(
        float, re.search(r'd="M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)', text).groups()
    )
    for x, y, word in re.findall(r'<tspan x="([\d.]+)" y="([\d.]+)">(\w+)', text):
        half = text_width(word, 12) / 2
        box = Box(float(x) - half, float(y) - 8, float(x) + half, float(y))
        assert not cuts(box, (x1, y1), (x2, y2))


def test_the_same_graph_gives_the_same_picture_and_themes_differ(tmp_path):
    texts = []
    for name, theme in (("a", "light"), ("b", "light"), ("c", "dark")):
        place = tmp_path / f"{name}.svg"
        write_picture(made(), place, title="T", names={}, clusters=True, theme=theme)
        texts.append(place.read_text(encoding="utf-8"))
    assert texts[0] == texts[1] != texts[2]


def test_only_svg_and_png_are_drawn(folder, tmp_path):
    done = run("graph", "picture", folder, "--out", tmp_path / "p.gif")
    assert isinstance(done.exception, UsageError)
    assert ".svg or .png" in str(done.exception)


@pytest.mark.parametrize("form", ["graphml", "node-link"])
def test_exported_and_read_again(tmp_path, form):
    target = tmp_path / ("g.graphml" if form == "graphml" else "g.json")
    export_graph(made(), form, target)
    back, graph = load_graph(target), made()
    assert dict(back.nodes(data=True)) == dict(graph.nodes(data=True))
    assert sorted(back.edges(data="label")) == sorted(graph.edges(data="label"))


def test_csv_has_edges_and_entities_and_no_formula(tmp_path):
    graph = made(6, "=cmd {}")
    made_files = export_graph(graph, "csv", tmp_path / "g.csv")
    assert [path.name for path in made_files] == ["g.csv", "g.entities.csv"]
    tables = []
    for path in made_files:
        with path.open(encoding="utf-8-sig", newline="") as file:
            tables.append(list(csv.DictReader(file)))
    assert len(tables[0]) == graph.number_of_edges()
    assert len(tables[1]) == 6
    assert tables[1][0]["id"] == "'=cmd 0"
    assert tables[1][0]["categories"] == "terrorism"


def test_a_format_or_graph_that_is_not_there(folder, tmp_path):
    done = run("graph", "export", folder, "--format", "gexf", "--out", tmp_path / "x")
    assert isinstance(done.exception, UsageError)
    done = run("graph", "export", tmp_path / "no", "--format", "csv", "--out", tmp_path / "x")
    assert isinstance(done.exception, InputError)


def test_parts_of_a_graph():
    graph = made()
    assert len(part(graph, "terrorism")) == 30
    assert {data["weight"] for _, data in heaviest(graph, 8).nodes(data=True)} == {7}
    assert len(graph) == 60


def test_a_label_is_the_name_and_keeps_the_capitals_of_a_name():
    assert label("notice", {"surface": "Noticing", "kind": "act"}) == "notice"
    assert label("turn", {"surface": "Turn", "kind": "act"}) == "turn"
    assert label("klan", {"surface": "Klan", "kind": "group"}) == "Klan"


def test_labels_never_share_room():
    labels = Labels(Box(0, 0, 100, 100))
    assert labels.place(("word",), 10, [(50, 50)]) is not None
    assert labels.place(("word",), 10, [(50, 50), (52, 55)]) is None
    assert labels.place(("word",), 10, [(50, 50), (50, 80)]).y == 80
    assert labels.place(("word",), 10, [(99, 20)]) is None, "out of the frame"
    assert wrapped("one two three", 7) == ("one two", "three")
