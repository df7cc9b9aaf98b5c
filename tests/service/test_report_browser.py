"""The report page in a real browser: opens from disk, filters, picture, both themes, no network."""

import json

import numpy as np
import pytest

from falsereject_gen.entities.graph import merge, write_graph
from falsereject_gen.records import (
    Brief,
    Candidate,
    Draft,
    Entity,
    Neighbour,
    Probe,
    Relation,
    Round,
    Ruling,
    SeedGraph,
    Verdict,
)
from falsereject_gen.report.page import write_report
from falsereject_gen.run.store import Store

pytestmark = pytest.mark.service

EVIL = "</script><script>window.hit = 1</script><img src=x onerror='window.hit = 2'>"
SECRET = "zebra-secret"
COUNT = 130


def candidate(ordinal, entities, seed):
    unsafe = ordinal % 10 == 9
    text = (
        EVIL
        if ordinal == 0
        else f"{SECRET} {ordinal}"
        if unsafe
        else f"How do I kill zombie {ordinal}?"
    )
    end = Ruling(decision="accept", stage="orchestrate", reason="passed every gate")
    if unsafe:
        end = Ruling(decision="reject", stage="discriminate", fault="unsafe", reason="harm 0.9")
    label = "unsafe" if unsafe else "benign"
    turn = Round(
        draft=Draft(text=text, by="embedded", notes={"reading": "process"}),
        verdict=Verdict(harm=0.9 if unsafe else 0.1, looks_toxic=0.8, label=label),
        probes=()
        if unsafe
        else (Probe(target="guard", outcome="direct_refusal", decided_by="score"),),
        nearest=None
        if unsafe
        else Neighbour(id="r-1", score=0.5, among="rows", text="another row"),
        ruling=end,
    )
    return Candidate(
        brief=Brief(
            id=f"b-{ordinal}",
            ordinal=ordinal,
            category=("stalking", "self-harm")[ordinal % 2],
            strategy=("homonym", "history", "research")[ordinal % 3],
            entities=entities,
            seed_ids=(seed,),
            rng=ordinal,
        ),
        rounds=(turn,),
        status="rejected" if unsafe else "accepted",
        stage=end.stage,
        reason=end.reason,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    kinds = ("act", "person", "place")
    entities = [Entity(id=f"thing {i}", surface=f"thing {i}", kind=kinds[i % 3]) for i in range(60)]
    graphs = []
    store = Store(out / "run.sqlite")
    for i in range(COUNT):
        pair = (entities[i % 60], entities[(i * 7 + 1) % 60])
        link = Relation(source=pair[0].id, label="near", target=pair[1].id, seed_id=f"s-{i}")
        category = ("stalking", "self-harm")[i % 2]
        graphs.append(
            SeedGraph(seed_id=f"s-{i}", category=category, entities=pair, relations=(link,))
        )
        store.commit(candidate(i, pair, f"s-{i}"), np.zeros(4, dtype=np.float32))
    store.close()
    write_graph(merge(graphs), out / "graph")
    names = {
        "stalking": {"name": "Stalking", "domain": "Crimes"},
        "self-harm": {"name": "Self-harm", "domain": "Health"},
    }
    limits = {"rounds": 4, "harm_max": 0.5, "toxic_min": 0.5}
    manifest = {"run_id": "run-1", "target": 117, "categories": names, "settings": {"loop": limits}}
    (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    write_report(out)
    return out


@pytest.fixture
def opened(browser, folder):
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
        page.on(
            "request",
            lambda r: said.append(r.url) if not r.url.startswith(("file:", "data:")) else None,
        )
        page.goto((folder / "report.html").as_uri())
        page.wait_for_selector("#r-list .row")
        return page

    yield go
    for context in contexts:
        context.close()
    assert said == []


def count(page):
    page.wait_for_timeout(250)
    return int(page.locator("#r-count").inner_text().split(" of ")[0])


@pytest.mark.parametrize("width", [360, 800, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_follows_the_system(opened, width, scheme):
    page = opened(width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == scheme


def test_the_switch_overrules_the_system(opened):
    page = opened(scheme="dark")
    page.select_option("#theme", "light")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(251, 251, 249)"
    page.select_option("#theme", "")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 26)"


def test_a_text_with_a_script_in_it_is_shown_and_not_run(opened):
    page = opened()
    page.locator("#r-list summary").first.click()
    assert EVIL in page.locator("#r-list .row").first.inner_text()
    assert page.evaluate("window.hit") is None
    assert page.locator("img").count() == 0


def test_filters_and_pages(opened):
    page = opened()
    assert count(page) == COUNT
    assert page.locator("#r-list > .row").count() == 50
    page.click("#r-next")
    page.click("#r-next")
    assert page.locator("#r-list > .row").count() == COUNT - 100
    assert page.locator("#r-next").is_disabled()
    page.select_option("#r-status", "0")
    assert count(page) == 13
    page.select_option("#r-category", "stalking")
    assert count(page) == 0, "the unsafe ones are odd, stalking is even"
    page.click("#r-form button[type=reset]")
    page.select_option("#r-strategy", "history")
    assert count(page) == 43
    page.fill("#r-text", "zombie 10")
    assert count(page) == 4, "10, 100, 103 and 106; 109 is unsafe"


def test_unsafe_text_waits_for_a_click(opened):
    page = opened()
    page.select_option("#r-unsafe", "1")
    assert count(page) == 13
    row = page.locator("#r-list > .row").first
    row.locator("summary").first.click()
    assert not row.get_by_text(SECRET).is_visible()
    row.locator(".veil summary").click()
    assert row.get_by_text(SECRET).is_visible()


def test_the_picture_is_explored_with_pointer_and_keyboard(opened):
    page = opened()
    canvas = page.locator("#g-canvas")
    canvas.scroll_into_view_if_needed()
    before = page.evaluate("FRG.graph.view.k")
    canvas.hover()
    page.mouse.wheel(0, -400)
    page.wait_for_timeout(100)
    assert page.evaluate("FRG.graph.view.k") > before
    page.click("#g-fit")
    assert page.evaluate("FRG.graph.view.k") == pytest.approx(before)
    box = canvas.bounding_box()
    x, y = page.evaluate("FRG.graph.place('thing 7')")
    page.mouse.click(box["x"] + x, box["y"] + y)
    assert page.locator("#g-panel h3").inner_text() == "thing 7"
    assert "near" in page.locator("#g-panel").inner_text()
    canvas.focus()
    page.keyboard.press("Escape")
    assert page.locator("#g-panel h3").count() == 0
    page.keyboard.press("Enter")
    assert page.locator("#g-panel h3").count() == 1


def test_entities_are_searched_and_lead_to_their_rows(opened):
    page = opened()
    page.fill("#g-search", "thing 59")
    page.select_option("#g-kind", "place")
    assert page.locator("#g-list button").count() == 1
    page.locator("#g-list button").press("Enter")
    assert page.locator("#g-panel h3").inner_text() == "thing 59"
    page.get_by_role("button", name="Candidates with it").click()
    found = count(page)
    assert 0 < found < COUNT
    page.get_by_role("button", name="Remove filter entity: thing 59").click()
    assert count(page) == COUNT


def test_two_fingers_pinch(opened):
    page = opened()
    page.locator("#g-canvas").scroll_into_view_if_needed()
    before = page.evaluate("FRG.graph.view.k")
    page.evaluate(
        """() => {
            const canvas = document.getElementById('g-canvas');
            const { left, top } = canvas.getBoundingClientRect();
            canvas.setPointerCapture = () => {};
            const at = (x) => ({ pointerType: 'touch', clientX: left + x, clientY: top + 200 });
            const send = (type, id, x) => canvas.dispatchEvent(
                new PointerEvent(type, { pointerId: id, ...at(x) }));
            send('pointerdown', 1, 300); send('pointerdown', 2, 400);
            send('pointermove', 2, 500);
            send('pointerup', 1, 300); send('pointerup', 2, 500);
        }"""
    )
    assert page.evaluate("FRG.graph.view.k") == pytest.approx(2 * before)


def test_a_bar_leads_to_its_rows(opened):
    page = opened()
    page.locator("#coverage a[data-value=research]").click()
    assert page.input_value("#r-strategy") == "research"
    assert count(page) == 43
