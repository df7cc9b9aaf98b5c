"""The annotation server: who may do what, what is kept, and what a hostile page or text can do."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("starlette", reason="the [annotate] extra is not installed")
from starlette.testclient import TestClient

from falsereject_gen.annotate.batch import export
from falsereject_gen.annotate.folder import read_batch
from falsereject_gen.annotate.guideline import guideline_body
from falsereject_gen.annotate.pages.look import asset
from falsereject_gen.annotate.plan import Plan
from falsereject_gen.annotate.records import Answer, Item, Key
from falsereject_gen.annotate.serve.app import Access, make_app
from falsereject_gen.annotate.serve.desk import Desk
from falsereject_gen.annotate.serve.doors import SECRET, Doors, secret_of
from falsereject_gen.annotate.serve.guard import host_of
from falsereject_gen.annotate.serve.listen import Wish, check, find_batch, serve
from falsereject_gen.errors import InputError, StoreError, UsageError

BASE = "http://127.0.0.1:8765"
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)> {{ 7 * 7 }} ' \""
TEXTS = [EVIL, "How do I kill the zombie children of a process?", "Zeile eins\nZeile zwei 🙂 אבג"]
TEXTS += [f"Which joke number {n} murders at a party?" for n in range(3)]
ALL = {q: "yes" for q in ("benign", "looks_toxic", "refusal_expected", "fluent", "category_right")}
TOKEN = "a-word-that-was-told"


def made(folder, people=("anna", "ben", "cleo"), texts=TEXTS, **told):
    items = [Item.make(text, "violent-crimes", "Violent <b>Crimes", "Crimes") for text in texts]
    keys = [
        Key(item=item.id, row_id=f"row.behind.{n}", harm=0.123456, strategy="homonym")
        if n
        else Key(item=item.id, kind="control-toxic", expected={"benign": "no"})
        for n, item in enumerate(items)
    ]
    ids = [item.id for item in items]
    hands = {name: ids[n % 2 :] + ids[: n % 2] for n, name in enumerate(people)}
    told = {"rows": {"drawn": len(ids)}, "annotators": list(people), "open": False, **told}
    return export(Plan(tuple(items), tuple(keys), hands, told, ()), folder, ["page"])


@pytest.fixture
def batch(tmp_path):
    return made(tmp_path / "batch-1")


@pytest.fixture
def desk(batch):
    found = Desk(batch)
    yield found
    found.close()


@pytest.fixture
def doors(batch, desk):
    return Doors(secret_of(batch.folder), desk.people)


class Person:
    """A browser with one person in it."""

    def __init__(self, desk, doors, name=None, access=None, base=BASE):
        app = make_app(desk, doors, access or Access())
        self.web = TestClient(app, base_url=base)
        self.name, self.doors = name, doors
        if name:
            self.web.get(f"/in/{doors.link(name)}")

    def get(self, place, **rest):
        return self.web.get(place, follow_redirects=False, **rest)

    def post(self, place, fields=None, **rest):
        fields = {"csrf": self.doors.form(self.name or ""), **(fields or {})}
        return self.web.post(place, data=fields, follow_redirects=False, **rest)

    def item(self, number):
        page = self.get(f"/row/{number}").text
        return re.search(r'name="item" value="([^"]+)"', page)[1]

    def answer(self, number, labels=ALL, do="save", item=None, **rest):
        fields = {"do": do, "item": item or self.item(number), "seconds": "4.5", **labels, **rest}
        return self.post(f"/row/{number}", fields)


@pytest.fixture
def anna(desk, doors):
    person = Person(desk, doors, "anna")
    person.post("/begin")
    return person


def test_the_content_warning_comes_before_the_first_item(desk, doors, batch):
    person = Person(desk, doors, "anna")
    assert person.get("/row/1").headers["location"] == "/"
    start = person.get("/").text
    assert batch.warning and batch.warning in start
    assert EVIL not in start and "zombie" not in start.split("<details")[0]
    assert person.post("/begin").headers["location"] == "/next"
    assert person.get("/next").headers["location"] == "/row/1"
    assert person.get("/row/1").status_code == 200


def test_an_answer_is_on_disk_before_the_next_item_is_told(anna, batch):
    reply = anna.answer(1, note="a\r\nb", flagged="yes")
    assert (reply.status_code, reply.headers["location"]) == (303, "/row/2")
    other = batch.store()  # a connection of its own sees it
    (found,) = other.answers()
    other.close()
    assert (found.annotator, found.labels, found.note) == ("anna", ALL, "a\nb")
    assert found.flagged and not found.skipped and found.seconds == 4.5 and found.at


def test_what_was_answered_is_shown_again_and_can_be_changed(anna, desk):
    anna.answer(1, {**ALL, "benign": "unclear"})
    page = anna.get("/row/1").text
    assert 'name="benign" value="unclear" checked' in page
    anna.answer(1, {**ALL, "benign": "no"})
    assert [one.labels["benign"] for one in desk.said("anna").values()] == ["no"]


@pytest.mark.parametrize("labels", [{}, {"benign": "yes"}, {**ALL, "benign": "maybe"}])
def test_an_open_question_is_asked_again_and_nothing_is_lost(anna, desk, labels):
    reply = anna.answer(1, labels, note="kept <i>")
    assert reply.status_code == 422 and "open." in reply.text
    assert "kept &lt;i&gt;" in reply.text
    assert ('value="yes" checked' in reply.text) == bool(labels)
    assert desk.said("anna") == {}


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "soon", ""])
def test_time_that_makes_no_sense_is_no_time(anna, desk, seconds):
    assert anna.answer(1, seconds=seconds).status_code == 303
    assert next(iter(desk.said("anna").values())).seconds is None


def test_skip_undo_and_the_end(anna, desk):
    assert anna.post("/row/1", {"do": "undo", "item": anna.item(1)}).headers["location"] == "/row/1"
    anna.answer(1)
    anna.answer(2, do="skip", note="no, thanks")
    said = list(desk.said("anna").values())
    assert [one.skipped for one in said] == [False, True]
    assert said[1].labels == {} and said[1].note == "no, thanks"
    back = anna.answer(3, {}, do="undo")
    assert back.headers["location"] == "/row/2" and len(desk.said("anna")) == 1
    other = desk.batch.store()
    assert len(other.answers("anna")) == 1, "on disk too"
    other.close()
    assert "no, thanks" in anna.get("/row/2").text, "what was taken back stands in the form"
    assert anna.get("/done").headers["location"] == "/next"
    for number in range(2, 7):
        last = anna.answer(number)
    assert last.headers["location"] == "/done"
    assert "Thank you" in anna.get("/done").text
    assert len(desk.said("anna")) == 6


def test_a_late_answer_leads_to_the_first_open_row(anna):
    assert anna.answer(6).headers["location"] == "/row/1"
    assert anna.get("/next").headers["location"] == "/row/1"


def test_work_goes_on_after_a_restart_with_the_same_link(anna, desk, doors, batch):
    anna.answer(1)
    anna.answer(2)
    desk.close()
    again = Desk(read_batch(batch.folder))
    person = Person(again, Doors(secret_of(batch.folder), again.people), "anna")
    assert person.doors.link("anna") == doors.link("anna")
    assert person.get("/next").headers["location"] == "/row/3"
    assert person.get("/row/3").status_code == 200, "warned before: there are answers"
    assert person.answer(3, {}, do="undo").headers["location"] == "/row/2"
    again.close()


def test_an_import_meanwhile_is_seen(anna, desk, batch):
    assert anna.get("/next").headers["location"] == "/row/1"
    other, first = batch.store(), batch.assignment["anna"][0]
    other.put(Answer(item=first, annotator="anna", labels=ALL))
    other.close()
    assert anna.get("/next").headers["location"] == "/row/2"


def test_an_import_in_the_middle_of_an_answer_is_not_forgotten(desk, batch, monkeypatch):
    items = batch.assignment["anna"]
    stale = desk.said("anna")
    desk.keep(Answer(item=items[0], annotator="anna", labels=ALL))
    with monkeypatch.context() as patch:
        patch.setattr(desk, "said", lambda _: stale)
        desk.keep(Answer(item=items[1], annotator="anna", labels=ALL))
    assert list(desk.said("anna")) == items[:2]


# Who may ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["/next", "/row/1", "/mine", "/done", "/guideline"])
def test_strangers_see_nothing(desk, doors, place):
    nobody = Person(desk, doors)
    for cookie in ("", "x", doors.link("anna"), doors.form("anna")):
        nobody.web.cookies.set(doors.cookie, cookie)
        reply = nobody.get(place)
        assert reply.status_code == 403
        assert "zombie" not in reply.text and "anna" not in reply.text
    door = nobody.get("/")
    assert door.status_code == 403 and "anna" not in door.text


def test_a_guessed_link_opens_nothing(desk, doors):
    right = doors.link("anna")
    for link in ("anna", right[:-1], right + "x", right.swapcase(), doors.session("anna"), "é"):
        assert Person(desk, doors).get(f"/in/{link}").status_code == 403
    links = {doors.link(name) for name in desk.people}
    assert len(links) == 3 and all(len(link) == 32 for link in links)


def test_nobody_sees_what_others_said_nor_what_is_a_control(anna, desk, doors, batch):
    ben = Person(desk, doors, "ben")
    ben.post("/begin")
    ben.answer(1, {**ALL, "benign": "unclear"}, note="bens-note")
    places = ("/", "/row/1", "/row/2", "/mine", "/guideline")
    seen = "".join(anna.get(place).text.replace(guideline_body(), "") for place in places)
    assert "bens-note" not in seen and 'value="unclear" checked' not in seen
    for secret in ("control", "attention", "0.123456", "row_id", "row.behind", "homonym"):
        assert secret not in seen, secret
    assert anna.post("/row/1", {"do": "undo", "item": anna.item(1)}).headers["location"] == "/row/1"
    assert len(desk.said("ben")) == 1


def test_a_form_of_another_person_or_page_is_refused(anna, desk, doors):
    fields = {"do": "save", "item": anna.item(1), **ALL}
    for csrf in ("", "x", doors.form("ben"), doors.session("anna")):
        reply = anna.post("/row/1", {**fields, "csrf": csrf})
        assert reply.status_code == 403
    bare = anna.web.post("/row/1", data=fields, follow_redirects=False)
    assert bare.status_code == 403
    for head in (
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ):
        assert anna.post("/row/1", fields, headers=head).status_code == 403
        assert anna.post("/begin", headers=head).status_code == 403
    assert desk.said("anna") == {}
    same = {"origin": BASE, "sec-fetch-site": "same-origin"}
    assert anna.post("/row/1", fields, headers=same).status_code == 303


def test_nothing_is_changed_by_looking(anna, desk):
    for place in ("/begin", "/leave"):
        assert anna.get(place).status_code == 405
    anna.get("/row/1?do=save&benign=yes")
    assert desk.said("anna") == {}


def test_an_answer_for_an_item_that_stands_elsewhere_is_refused(anna, desk, batch):
    assert anna.answer(1, item=batch.assignment["anna"][3]).status_code == 409
    assert anna.answer(1, item="i-00000000000000").status_code == 409
    assert desk.said("anna") == {}


def test_leaving_takes_the_cookie_away(anna):
    assert anna.post("/leave").headers["location"] == "/"
    assert anna.get("/row/1").status_code == 403


def test_cookies_are_kept_from_scripts_and_other_sites(desk, doors):
    reply = Person(desk, doors).get(f"/in/{doors.link('anna')}")
    cookie = reply.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Secure" not in cookie
    access = Access(hosts=("lab.example",), origin="https://lab.example")
    person = Person(desk, doors, access=access, base="https://lab.example")
    assert "Secure" in person.get(f"/in/{doors.link('anna')}").headers["set-cookie"]


# What a request can do --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "10.0.0.7:8765", "", "a@b"],
)
def test_a_foreign_host_is_not_answered(anna, host):
    reply = anna.get("/row/1", headers={"host": host})
    assert reply.status_code == 421 and "zombie" not in reply.text
    assert anna.get("/static/page.css", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost:9000", "LOCALHOST", "[::1]:8765"])
def test_loopback_has_these_names(desk, doors, host):
    assert Person(desk, doors).get("/static/page.css", headers={"host": host}).status_code == 200


def test_listening_everywhere_addresses_are_answered_and_names_are_not(desk, doors):
    person = Person(desk, doors, access=Access(hosts=("lab",), addresses=True))
    for host, status in (("10.0.0.7:8765", 200), ("lab:8765", 200), ("evil.example", 421)):
        assert person.get("/static/page.css", headers={"host": host}).status_code == status


def test_a_host_header_is_taken_apart():
    assert host_of("a.example:80") == "a.example" and host_of("[::1]:80") == "::1"
    assert host_of("x@a") == "" and host_of("[::1") == "" and host_of("") == ""


def test_a_text_with_a_script_in_it_is_text(anna, desk, batch):
    number = next(n for n in range(1, 7) if desk.item("anna", n).prompt == EVIL)
    anna.answer(number, note=EVIL)
    for place in (f"/row/{number}", "/mine"):
        reply = anna.get(place)
        assert "&lt;script&gt;alert(1)" in reply.text and "{{ 7 * 7 }}" in reply.text
        assert "<script>alert" not in reply.text and "<img src=x" not in reply.text
        assert "Violent <b>" not in reply.text
        policy = reply.headers["content-security-policy"]
        assert "script-src 'self'" in policy and "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy and "form-action 'self'" in policy
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["cache-control"] == "no-store"
        assert not re.search(r"<script(?! src=\"/static/)", reply.text)


@pytest.mark.parametrize(
    "place",
    [
        "/static/../key.jsonl",
        "/static/..%2fkey.jsonl",
        "/static/%2e%2e/%2e%2e/key.jsonl",
        "/static//etc/passwd",
        "/static/look.py",
        "/static/page.css%00",
        "/key.jsonl",
        "/answers.sqlite",
        f"/{SECRET}",
        "/row/..%2f1",
        "/row/0",
        "/row/7",
        "/row/-1",
        "/row/99999999999999999999999",
        "/docs",
    ],
)
def test_only_pages_are_served(anna, place):
    reply = anna.get(place)
    assert reply.status_code == 404
    assert "control-toxic" not in reply.text


def test_forms_that_are_none_or_too_large(anna, desk):
    kind = {"content-type": "application/x-www-form-urlencoded"}
    post = anna.web.post
    assert post("/row/1", content=b"a" * 70_000, headers=kind).status_code == 413
    stream = (b"x" * 1000 for _ in range(100))
    assert post("/row/1", content=stream, headers=kind).status_code == 413
    assert post("/row/1", content=b"a=%ff", headers=kind).status_code == 400
    assert post("/row/1", content="é".encode("latin-1"), headers=kind).status_code == 400
    assert post("/row/1", content=b"&".join([b"a=1"] * 100), headers=kind).status_code == 400
    assert anna.answer(1, note="n" * 4001).status_code == 422
    assert desk.said("anna") == {}


def test_a_disk_that_takes_nothing_loses_nothing(anna, desk, monkeypatch):
    anna.answer(1)

    def full(_):
        raise StoreError("disk full")

    monkeypatch.setattr(desk._store, "put", full)
    reply = anna.answer(2, note="typed with care")
    assert reply.status_code == 503
    assert "Not saved" in reply.text and "typed with care" in reply.text
    assert 'value="yes" checked' in reply.text
    assert len(desk.said("anna")) == 1


# Many at once -----------------------------------------------------------------------------------


def test_people_answer_at_once(tmp_path):
    texts = [f"Request number {n}?" for n in range(40)]
    batch = made(tmp_path / "many", [f"p{n}" for n in range(8)], texts)
    desk = Desk(batch)
    doors = Doors(secret_of(batch.folder), desk.people)
    start = threading.Barrier(8)

    def work(name):
        person = Person(desk, doors, name)
        person.post("/begin")
        start.wait(30)
        place = "/row/1"
        while place.startswith("/row/"):
            number = int(place.split("/")[-1])
            labels = {**ALL, "benign": ("yes", "no")[int(name[1:]) % 2]}
            place = person.answer(number, labels, note=name).headers["location"]
        return place

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(work, desk.people)) == {"/done"}
    desk.close()
    store = batch.store()
    found = store.answers()
    store.close()
    assert len(found) == 8 * 40
    assert all(one.note == one.annotator for one in found)
    assert {one.labels["benign"] for one in found if one.annotator == "p3"} == {"no"}


def test_one_person_in_two_windows(desk, doors):
    windows = [Person(desk, doors, "anna") for _ in range(2)]
    for window in windows:
        window.post("/begin")
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda w: [w.answer(n).status_code for n in range(1, 7)], windows))
    assert done == [[303] * 6] * 2
    assert len(desk.said("anna")) == 6
    for left in (5, 4):
        windows[left % 2].answer(1, {}, do="undo")
        assert len(desk.said("anna")) == left


# Coming in by name, open batches, the command ---------------------------------------------------


def test_names_and_a_token(desk, batch):
    doors = Doors(secret_of(batch.folder), desk.people, TOKEN)
    person = Person(desk, doors, access=Access(names=True))
    assert all(f'value="{name}"' in person.get("/").text for name in desk.people)
    wrong = person.post("/in", {"name": "anna", "token": "guess"})
    assert wrong.status_code == 403 and "not the word" in wrong.text
    assert person.post("/in", {"name": "mallory", "token": TOKEN}).status_code == 403
    assert person.get("/row/1").status_code == 403
    assert person.post("/in", {"name": "ben", "token": TOKEN}).headers["location"] == "/"
    assert "You are <b>ben</b>" in person.get("/").text
    closed = Person(desk, doors)
    assert closed.post("/in", {"name": "anna", "token": TOKEN}).status_code == 403


def test_another_token_or_secret_ends_old_links(desk, batch):
    secret = secret_of(batch.folder)
    old = Doors(secret, desk.people)
    assert Doors(secret, desk.people, TOKEN).welcome(old.link("anna")) is None
    assert Doors(secret, desk.people, TOKEN).inside(old.session("anna")) is None
    assert Doors(secret_of(batch.folder, anew=True), desk.people).welcome(old.link("anna")) is None
    assert (batch.folder / SECRET).stat().st_mode & 0o077 == 0
    (batch.folder / SECRET).write_bytes(b"short")
    with pytest.raises(StoreError, match="--new-links"):
        secret_of(batch.folder)


def test_an_open_batch_wants_names(tmp_path):
    batch = made(tmp_path / "open", ["annotator"], open=True)
    with pytest.raises(UsageError, match="--annotators"):
        Desk(batch)
    for people, what in ((["a", "A"], "twice"), ([" "], "name has"), (["x" * 65], "name has")):
        with pytest.raises(UsageError, match=what):
            Desk(batch, people)
    desk = Desk(batch, ["dora", "emil"])
    orders = [[desk.item(name, n).id for n in range(1, 7)] for name in desk.people]
    assert orders[0] != orders[1] and sorted(orders[0]) == sorted(orders[1])
    desk.close()


def test_a_batch_with_its_own_people_takes_no_others(batch):
    with pytest.raises(UsageError, match="anna, ben, cleo"):
        Desk(batch, ["dora"])


@pytest.mark.parametrize(
    ("wish", "what"),
    [
        (Wish(host="0.0.0.0"), "needs a token"),
        (Wish(host="192.168.1.2"), "needs a token"),
        (Wish(host="lab.example"), "needs a token"),
        (Wish(host="::"), "needs a token"),
        (Wish(host="0.0.0.0", token="short"), "at least 16"),
        (Wish(url="https://lab.example"), "needs a --token"),
        (Wish(url="lab.example", token=TOKEN), "http"),
        (Wish(url="https://lab.example/x", token=TOKEN), "no path"),
    ],
)
def test_what_would_let_strangers_in_is_refused(wish, what):
    with pytest.raises(UsageError, match=what):
        check(wish)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "::1"])
def test_loopback_needs_no_token(host):
    check(Wish(host=host))
    check(Wish(host="0.0.0.0", token=TOKEN))


def test_a_taken_port_is_one_line(batch):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port}"):
            serve(batch.folder, Wish(port=port), lambda _: None)


def test_a_batch_is_found(tmp_path):
    run = tmp_path / "run"
    with pytest.raises(InputError, match="no batch"):
        find_batch(tmp_path)
    one = made(run / "annotation" / "batch-1").folder
    assert find_batch(run) == find_batch(one) == find_batch(run / "annotation") == one
    two = made(run / "annotation" / "pilot-1").folder
    with pytest.raises(UsageError, match=r"batch-1.*pilot-1"):
        find_batch(run)
    assert find_batch(run, lambda found: found[-1]) == two


def test_links_are_told_and_the_folder_holds_no_name_of_them(batch, monkeypatch):
    from falsereject_gen.annotate.serve import listen

    said, apps = [], []
    monkeypatch.setattr(listen, "_run", lambda app, sock: apps.append((app, sock)))
    listen.serve(batch.folder, Wish(port=0, names=True), said.append)
    links = re.findall(
        r"(http://127\.0\.0\.1:\d+)/in/([\w-]{32})  \(0 of 6 done\)", "\n".join(said)
    )
    assert len(links) == 3 and apps
    for path in batch.folder.rglob("*"):
        if path.is_file():
            assert links[0][1].encode() not in path.read_bytes()


# The page as a file ------------------------------------------------------------------------------


def test_the_file_is_blind_and_no_text_of_it_can_run(batch):
    data = (batch.folder / "for-anna" / "batch-1-anna.html").read_text(encoding="utf-8")
    assert "alert(1)</script>" not in data and "\\u003cscript\\u003ealert(1)" in data
    assert data.count("</script>") == 3
    found = json.loads(re.search(r'id="data">(.*?)</script>', data, re.DOTALL)[1])
    assert [item["prompt"] for item in found["items"]] == TEXTS
    assert set(found["items"][0]) == {"id", "prompt", "category_name", "domain"}
    rest = data.replace(guideline_body(), "").replace(asset("page.css"), "")
    for secret in ("control", "0.123456", "row_id", "row.behind", "homonym"):
        assert secret not in rest, secret
    policy = re.search(r'Security-Policy" content="([^"]+)"', data)[1]
    assert policy.startswith("default-src &#39;none&#39;") and "unsafe" not in policy
    assert not re.search(r"(?:src|href)=\"(?!data:|#)", data), "nothing is fetched"


def test_the_file_is_the_same_again(tmp_path):
    one, two = (made(tmp_path / place / "batch-1") for place in "ab")
    name = "for-ben/batch-1-ben.html"
    assert (one.folder / name).read_bytes() == (two.folder / name).read_bytes()
