"""Three people annotate in a real browser: by keyboard, on a phone, from a file on disk."""

import json
import socket
import threading

import pytest

pytest.importorskip("starlette", reason="the [annotate] extra is not installed")
pytest.importorskip("uvicorn", reason="the [annotate] extra is not installed")
import uvicorn

from falsereject_gen.annotate.batch import export
from falsereject_gen.annotate.inbox import import_files
from falsereject_gen.annotate.plan import Plan
from falsereject_gen.annotate.records import Item, Key
from falsereject_gen.annotate.serve.app import make_app
from falsereject_gen.annotate.serve.desk import Desk
from falsereject_gen.annotate.serve.doors import Doors, secret_of

pytestmark = pytest.mark.service

EVIL = "</script><script>window.hit = 1</script><img src=x onerror='window.hit = 2'>"
TEXTS = [EVIL, "Zeile eins\nZeile zwei 🙂 „so“ 'n' so", "איך הורגים תהליך?"]
TEXTS += [f"Which joke number {n} murders at a retirement party?" for n in range(27)]
PHONE = {"width": 390, "height": 780}
DESK = {"width": 1280, "height": 800}
PEOPLE = ("anna", "ben", "cleo")
CONTRAST = """() => {
    const LEFT_OUT = "script, style, .sr, .jump, :disabled, :disabled *";
    const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
        .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (node) => {
        for (let one = node; one; one = one.parentElement) {
            const colour = parse(getComputedStyle(one).backgroundColor);
            if (colour.length === 3 || colour[3] > 0) return colour;
        }
        return [255, 255, 255];
    };
    const bad = [];
    for (const node of document.querySelectorAll("body *")) {
        const own = [...node.childNodes].some((c) => c.nodeType === 3 && c.data.trim());
        const box = node.getBoundingClientRect();
        if (!own || !box.width || node.matches(LEFT_OUT)) continue;
        const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) bad.push([node.textContent.slice(0, 30), ratio.toFixed(2)]);
    }
    return bad;
}"""
NAMED = """() => [...document.querySelectorAll("button, a, input:not([type=hidden]), textarea")]
    .filter((node) => node.getBoundingClientRect().width)
    .filter((node) => !(node.textContent.trim() || (node.labels && node.labels.length)))
    .map((node) => node.outerHTML)"""


@pytest.fixture
def batch(tmp_path):
    items = [Item.make(text, "violent-crimes", "Violent Crimes", "Crimes") for text in TEXTS]
    keys = tuple(Key(item=item.id, row_id=f"r-{n}") for n, item in enumerate(items))
    ids = [item.id for item in items]
    hands = {name: ids[n:] + ids[:n] for n, name in enumerate(PEOPLE)}
    told = {"rows": {"drawn": len(ids)}, "annotators": list(PEOPLE), "open": False}
    return export(Plan(tuple(items), keys, hands, told, ()), tmp_path / "batch-1", ["page"])


@pytest.fixture
def links(batch):
    """The server, and each person's link."""
    desk = Desk(batch)
    doors = Doors(secret_of(batch.folder), desk.people)
    config = uvicorn.Config(make_app(desk, doors), lifespan="off", log_level="error", ws="none")
    server = uvicorn.Server(config)
    sock = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    base = f"http://127.0.0.1:{sock.getsockname()[1]}"
    yield {name: f"{base}/in/{doors.link(name)}" for name in desk.people}
    server.should_exit = True
    thread.join(20)
    sock.close()
    desk.close()


@pytest.fixture
def window(browser):
    """A function that opens a window; whatever the browser complains of fails the test."""
    said, contexts = [], []

    def go(address, viewport=DESK, scheme="light", phone=False, **rest):
        rest |= {"is_mobile": True, "has_touch": True} if phone else {}
        if address.startswith("file:"):
            rest |= {"offline": True}
        context = browser.new_context(viewport=viewport, color_scheme=scheme, **rest)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda fault: said.append(str(fault)))
        page.goto(address)
        return page

    yield go
    for context in contexts:
        context.close()
    assert said == []


@pytest.fixture
def file_of(batch):
    return lambda name: (batch.folder / f"for-{name}" / f"batch-1-{name}.html").as_uri()


@pytest.fixture(params=["server", "file"])
def page_of(request, window):
    """Opens a person's page, begun: of the server or as a file."""

    def go(name="anna", **rest):
        address = request.getfixturevalue("links" if request.param == "server" else "file_of")
        page = window(address[name] if request.param == "server" else address(name), **rest)
        begin(page)
        page.is_file = request.param == "file"
        return page

    return go


def begin(page):
    page.locator("button.main").first.click()
    page.locator("#prompt").wait_for()


def prompt(page):
    return page.locator("#prompt").inner_text()


def done(page):
    return page.locator(".count").inner_text().split(" done")[0]


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def chosen(page):
    return [
        node.get_attribute("value")
        for node in page.locator("#item input[type=radio]:checked").all()
    ]


def expect_done(page, text):
    page.locator(".count", has_text=text).wait_for()


def answer(page, *keys):
    """Answer the item on the screen and wait for the next."""
    before = int(done(page).split(" of ")[0])
    press(page, *keys, "Enter")
    if before + 1 < len(TEXTS):
        expect_done(page, f"{before + 1} of {len(TEXTS)} done")
    else:
        page.get_by_role("heading", name="Done").wait_for()


def answers(batch, name=None):
    store = batch.store()
    found = store.answers(name)
    store.close()
    return found


def saved(page, path):
    with page.expect_download() as found:
        page.get_by_role("button", name="Save my answers").click()
    found.value.save_as(path)
    return found.value.suggested_filename


# The keyboard, on both ----------------------------------------------------------------------------


def test_a_row_by_keyboard_alone(page_of):
    page = page_of()
    assert page.evaluate("document.activeElement.name") == "benign"
    assert page.locator(".q.now").get_attribute("data-name") == "benign"
    press(page, "3", "1", "2")
    assert chosen(page) == ["unclear", "yes", "no"]
    assert page.locator(".q.now").get_attribute("data-name") == "fluent"
    press(page, "3")
    assert len(chosen(page)) == 3, "there is no third answer"
    press(page, "ArrowUp", "1", "ArrowUp", "ArrowUp", "ArrowRight")
    assert chosen(page) == ["unclear", "no", "yes"]
    press(page, "Enter")
    assert page.get_by_role("alert").inner_text() == "2 questions are open."
    assert page.locator(".q.now").get_attribute("data-name") == "fluent"
    press(page, "1", "2")
    assert page.get_by_role("alert").inner_text() == ""
    assert page.evaluate("document.activeElement.id") == "save"
    press(page, "n")
    page.keyboard.type("ugs1 hm")
    press(page, "Escape", "f")
    assert page.input_value("#note") == "ugs1 hm", "letters in the note are letters"
    assert page.is_checked("#flag")
    press(page, "Enter")
    expect_done(page, "1 of 30 done")
    assert prompt(page) == TEXTS[1] and chosen(page) == []
    assert page.input_value("#note") == "" and not page.is_checked("#flag")


def test_undo_takes_back_what_was_done_last(page_of):
    page = page_of()
    assert page.locator("#undo").is_disabled()
    answer(page, "1", "1", "1", "1", "1")
    answer(page, "2", "2", "2", "2", "2")
    press(page, "3", "1", "u")
    assert chosen(page) == ["unclear"]
    assert page.locator(".q.now").get_attribute("data-name") == "looks_toxic"
    press(page, "u")
    assert chosen(page) == []
    press(page, "u")
    expect_done(page, "1 of 30 done")
    assert prompt(page) == TEXTS[1]
    assert chosen(page) == ["no"] * 5, "what was taken back can be sent again"
    press(page, "u")
    expect_done(page, "0 of 30 done")
    assert prompt(page).split() == TEXTS[0].split() and page.locator("#undo").is_disabled()
    press(page, "Enter")
    expect_done(page, "1 of 30 done")
    press(page, "s")
    expect_done(page, "2 of 30 done, 1 skipped")
    press(page, "Control+z")
    expect_done(page, "1 of 30 done")
    assert prompt(page) == TEXTS[1]


def test_a_text_with_a_script_in_it_is_shown_and_not_run(page_of):
    page = page_of()
    assert prompt(page) == EVIL
    press(page, "n")
    page.keyboard.type(EVIL)
    press(page, "Escape")
    answer(page, "1", "1", "1", "1", "1")
    page.locator("#to-mine" if page.is_file else "a[href='/mine']").click()
    page.get_by_role("heading", name="What you answered").wait_for()
    assert page.locator("main").inner_text().count("onerror") == 2
    assert page.evaluate("window.hit") is None
    assert page.locator("img").count() == 0
    page.get_by_text("<img").first.click()
    page.wait_for_selector("#prompt")
    assert chosen(page) == ["yes"] * 5 and page.input_value("#note") == EVIL


def test_the_guideline_is_at_hand_and_keys_can_be_switched_off(page_of):
    page = page_of()
    press(page, "1", "g")
    guideline = page.locator("dialog#guideline")
    assert guideline.is_visible()
    head = guideline.locator("h2", has_text="looks_toxic")
    box = head.bounding_box()
    assert 0 < box["y"] < 250, "it opens at the question that is marked"
    press(page, "2", "Escape")
    assert not guideline.is_visible() and chosen(page) == ["yes"]
    press(page, "?")
    page.uncheck("#keys-on")
    press(page, "Escape", "1", "s", "u")
    assert chosen(page) == ["yes"] and done(page) == "0 of 30"
    page.reload()
    if page.is_file:
        begin(page)
    press(page, "1")
    assert chosen(page) == []
    press(page, "Space", "Tab", "ArrowRight")
    assert chosen(page) == ["yes", "no"], "the browser's own keys always work"


def test_tab_goes_everywhere_and_out_again(page_of):
    page = page_of()
    seen = []
    page.evaluate("document.activeElement.blur()")
    for _ in range(24):
        press(page, "Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.name || ''"))
    for wanted in ("benign", "category_right", "note", "flag", "save", "skip"):
        assert wanted in seen, wanted
    assert len(seen) - seen[::-1].index("save") < len(seen), "nothing holds the focus"
    outline = page.evaluate(
        "() => { document.getElementById('save').focus();"
        " return getComputedStyle(document.getElementById('save')).outlineStyle; }"
    )
    assert outline == "solid"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_it_fits_is_legible_and_everything_has_a_name(page_of, width, scheme):
    page = page_of(viewport={"width": width, "height": 780}, scheme=scheme, reduced_motion="reduce")
    fits = "document.documentElement.scrollWidth <= innerWidth"
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == scheme
    press(page, "1", "2")
    for keys in ("", "Enter", "g"):
        press(page, *([keys] if keys else []))
        assert page.evaluate(fits), keys
        assert page.evaluate(CONTRAST) == [], keys
        assert page.evaluate(NAMED) == [], keys
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 26)"
    assert dark == (scheme == "dark")
    moving = page.evaluate("getComputedStyle(document.querySelector('.q')).transitionDuration")
    assert moving == "0s"


def test_on_a_phone(page_of):
    page = page_of(viewport=PHONE, phone=True)
    names = ("benign", "looks_toxic", "refusal_expected", "fluent", "category_right")
    for name in names:
        box = page.locator(f"input[name={name}][value=no] + span").bounding_box()
        assert box["height"] >= 44 and box["width"] >= 44
        page.locator(f"input[name={name}][value=no]").tap()
    save = page.locator("#save").bounding_box()
    assert save["y"] + save["height"] <= PHONE["height"], "Save is in reach of the thumb"
    page.locator("#save").tap()
    expect_done(page, "1 of 30 done")
    page.locator("#skip").tap()
    expect_done(page, "2 of 30 done")


# The server -------------------------------------------------------------------------------------


def test_three_people_annotate_thirty_rows_each(window, links, batch):
    pages = {name: window(links[name]) for name in PEOPLE}
    for page in pages.values():
        page.keyboard.press("Enter")  # Begin has the focus
        page.wait_for_selector("#prompt")
    for _ in TEXTS:
        for name, page in pages.items():
            answer(page, *("31111" if name == "cleo" else "12121"))
    for page in pages.values():
        assert page.url.endswith("/done")
    found = answers(batch)
    assert len(found) == 90
    for name in PEOPLE:
        mine = [one for one in found if one.annotator == name]
        assert [one.item for one in mine] == batch.assignment[name]
        assert {one.labels["benign"] for one in mine} == {"unclear" if name == "cleo" else "yes"}
        assert all(one.seconds is not None and one.seconds < 60 for one in mine)
    press(pages["ben"], "u")
    pages["ben"].wait_for_selector("#prompt")
    assert len(answers(batch, "ben")) == 29


def test_a_person_comes_back_with_the_same_link(window, links, batch):
    page = window(links["anna"])
    begin(page)
    answer(page, "1", "1", "1", "1", "1")
    assert len(answers(batch, "anna")) == 1, "on disk when the next item is there"
    other = window(links["anna"], viewport=PHONE, phone=True)
    assert "1 are done" in other.locator(".lead").inner_text()
    begin(other)
    other.wait_for_selector("#prompt")
    assert prompt(other) == TEXTS[1]


def test_back_and_a_second_time(window, links, batch):
    page = window(links["anna"])
    begin(page)
    answer(page, "1", "1", "1", "1", "1")
    page.go_back()
    page.wait_for_selector("#prompt")
    assert prompt(page) == EVIL and chosen(page) == ["yes"] * 5
    press(page, "ArrowUp", "2", "Enter")
    page.locator("#prompt", has_text="Zeile").wait_for()
    (found,) = answers(batch, "anna")
    assert list(found.labels.values()) == ["yes"] * 4 + ["no"]


def test_without_scripts_it_works_too(browser, links, batch):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(links["anna"])
    begin(page)
    for name in ("benign", "looks_toxic", "refusal_expected", "fluent"):
        page.check(f"input[name={name}][value=yes]", force=True)
    page.click("#save")
    assert page.get_by_role("alert").inner_text() == "One question is open."
    page.check("input[name=category_right][value=no]", force=True)
    page.click("#save")
    assert page.url.endswith("/row/2")
    context.close()
    (found,) = answers(batch, "anna")
    assert found.seconds is None and found.labels["category_right"] == "no"


# The file ---------------------------------------------------------------------------------------


def test_a_file_from_disk_and_back_in(window, file_of, batch, tmp_path):
    for name in PEOPLE:
        page = window(file_of(name))
        assert batch.warning in page.locator("#v-start").inner_text()
        begin(page)
        for number in range(len(TEXTS)):
            answer(page, *"12121") if number % 3 else skip(page)
        assert page.locator("#v-done h1").is_visible()
        path = tmp_path / saved(page, tmp_path / f"batch-1-{name}-answers.json")
        found = json.loads(path.read_text(encoding="utf-8"))
        assert found["format"] == "falsereject-gen-answers/1" and found["annotator"] == name
    done = import_files(batch, sorted(tmp_path.glob("*-answers.json")))
    assert done.kept == {"new": 90} and done.problems == [] and not any(done.missing.values())
    again = import_files(batch, sorted(tmp_path.glob("*-answers.json")))
    assert again.kept == {"same": 90}
    mine = answers(batch, "cleo")
    assert [one.item for one in mine] == batch.assignment["cleo"]
    assert sum(one.skipped for one in mine) == 10


def skip(page):
    before = page.locator("#count").inner_text()
    press(page, "s")
    page.wait_for_timeout(10)
    assert page.locator("#count").inner_text() != before


def test_a_file_keeps_answers_over_a_reload_and_moves_to_another_machine(window, file_of, tmp_path):
    page = window(file_of("anna"))
    begin(page)
    answer(page, "1", "2", "1", "2", "1")
    press(page, "3", "1")
    page.reload()
    assert "1 are done" in page.locator("#v-start").inner_text()
    begin(page)
    assert prompt(page) == TEXTS[1]
    answer(page, "2", "2", "2", "2", "2")
    path = tmp_path / "answers.json"
    saved(page, path)
    assert "in the file that you saved" in page.locator("#kept").inner_text()

    other = window(file_of("anna"))
    other.set_input_files("#load-file", path)
    other.locator("#kept", has_text="Loaded 2 answers; 0 were here already.").wait_for()
    begin(other)
    assert prompt(other) == TEXTS[2]
    press(other, "u")
    expect_done(other, "1 of 30 done")
    assert chosen(other) == ["no"] * 5

    ben = window(file_of("ben"))
    ben.set_input_files("#load-file", path)
    ben.locator("#kept", has_text="not of ben").wait_for()
    (tmp_path / "other.json").write_text("[1]", encoding="utf-8")
    ben.set_input_files("#load-file", tmp_path / "other.json")
    ben.locator("#kept", has_text="no file of answers").wait_for()
    begin(ben)
    assert done(ben) == "0 of 30"


def test_two_windows_with_one_file_lose_nothing(window, file_of, tmp_path):
    page = window(file_of("anna"))
    begin(page)
    second = page.context.new_page()
    second.goto(file_of("anna"))
    begin(second)
    answer(page, "1", "1", "1", "1", "1")
    second.locator(".count", has_text="1 of 30 done").wait_for()
    press(second, "2", "2", "2", "2", "2", "Enter")
    page.wait_for_timeout(200)
    answer(page, "1", "1", "1", "1", "1")
    saved(page, tmp_path / "both.json")
    found = json.loads((tmp_path / "both.json").read_text(encoding="utf-8"))["answers"]
    assert len({one["item"] for one in found}) == len(found) == 2


def test_a_browser_that_keeps_nothing_says_so(browser, file_of):
    context = browser.new_context(offline=True)
    context.add_init_script("Storage.prototype.setItem = () => { throw new Error('full'); };")
    page = context.new_page()
    page.goto(file_of("anna"))
    begin(page)
    assert "save your answers to a file before you close" in page.locator("#kept").inner_text()
    answer(page, "1", "1", "1", "1", "1")
    assert prompt(page) == TEXTS[1]
    context.close()
