"""The explorer of the graph in a real browser: search, filter, select, both themes, 5,000 nodes."""

import networkx as nx
import pytest

from falsereject_gen.report.explore import write_explorer
from falsereject_gen.report.subject import Subject

pytestmark = pytest.mark.service

COUNT = 5000
EVIL = "<img src=x onerror='window.hit = 1'>"
NAMES = {"terrorism": {"name": "Terrorism", "domain": "Crimes"}}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    graph = nx.MultiDiGraph()
    for i in range(COUNT):
        graph.add_node(
            f"thing {i}",
            kind=("act", "person", "place")[i % 3],
            surface=f"thing {i}",
            like="",
            weight=1 + i % 9,
            categories=["terrorism" if i % 2 else f"other-{i % 20}"],
            seeds=[f"s-{i % 700}"],
        )
    for i in range(3 * COUNT):
        graph.add_edge(f"thing {i % COUNT}", f"thing {(i * 31 + 7) % COUNT}", label="x", weight=1)
    out = tmp_path_factory.mktemp("page") / "graph.html"
    write_explorer(Subject(graph, "A graph", NAMES, {"s-7": EVIL}), out)
    return out


@pytest.fixture
def opened(browser, place):
    """A function that opens the page; whatever the browser complains of fails the test."""
    said, contexts = [], []

    def go(width=1400, scheme="light"):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda fault: said.append(str(fault)))
        page.goto(place.as_uri())
        page.wait_for_selector("#g-list button")
        return page

    yield go
    for context in contexts:
        context.close()
    assert said == []


def test_drawn_quickly_and_searched_by_key(opened):
    page = opened()
    frame = page.evaluate(
        "(() => { const t = performance.now(); for (let i = 0; i < 10; i++) FRG.graph.draw();"
        " return (performance.now() - t) / 10; })()"
    )
    assert frame < 200, "about 6 ms on two idle cores"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "g-search"
    page.keyboard.type("thing 4999")
    assert page.locator("#g-count").inner_text() == "1 entity"
    page.keyboard.press("Enter")
    assert "thing 4999" in page.locator("#g-panel").inner_text()
    page.keyboard.press("Escape")


def test_an_entity_shows_its_relations_and_the_text_of_its_seed_behind_a_click(opened):
    page = opened()
    page.evaluate("FRG.graph.select('thing 7')")
    panel = page.locator("#g-panel")
    assert "Relations" in panel.inner_text()
    veil = panel.locator("details.veil")
    assert veil.count() == 1
    assert not veil.locator("q").is_visible()
    veil.locator("summary").click()
    assert veil.locator("q").inner_text() == EVIL
    assert page.evaluate("window.hit") is None


def test_filters_by_category_and_kind(opened):
    page = opened()
    page.select_option("#g-category", "terrorism")
    assert page.locator("#g-count").inner_text().startswith("2\u202f500")
    page.select_option("#g-kind", "person")
    assert (
        page.locator("#g-count").inner_text().startswith("833")
        or "834" in page.locator("#g-count").inner_text()
    )


@pytest.mark.parametrize("width", [390, 820, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_sticks_out_and_the_picture_has_room(opened, width, scheme):
    page = opened(width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.locator("#g-canvas").bounding_box()
    assert box["height"] > 400
    assert box["width"] > 0.6 * width
