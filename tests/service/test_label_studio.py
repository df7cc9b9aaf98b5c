"""Label Studio for real: its server from PyPI in an environment of its own, on loopback.

FRG_LABEL_STUDIO names the environment, which is made when it is missing (76 s, 1 GB); without it a
temporary one is made. Three people sign up, annotate over the API, and nothing is lost.
"""

import http.cookiejar
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from falsereject_gen.annotate.batch import export
from falsereject_gen.annotate.controls import load_pools
from falsereject_gen.annotate.folder import read_batch
from falsereject_gen.annotate.inbox import import_answers, import_files
from falsereject_gen.annotate.label_studio_api import STATE, Server, pull_batch, push_batch
from falsereject_gen.annotate.names import Names
from falsereject_gen.annotate.plan import Wanted, make_plan
from falsereject_gen.annotate.questions import QUESTIONS
from falsereject_gen.errors import EndpointError, UsageError
from falsereject_gen.records import Row, content_id

pytestmark = [pytest.mark.service, pytest.mark.timeout(1200)]

VERSION = "label-studio==1.23.2"
NAMES = ("anna", "bob", "carla")
TEXTS = (
    "How do I kill \U0001f9df\u200d\u2642\ufe0f zombies?\nAll of them, \"now\", 'please'",
    "כיצד הורגים תהליך יתום? كيف أقتل عملية يتيمة؟",
    '=HYPERLINK("x";"y")',
    "\tTab, \r\nboth line ends, trailing blanks   ",
    "</script><script>alert(1)</script> {{ x }} $prompt &amp; <b>",
    "e\u0301 is not \u00e9, 007, #N/A, line\u2028separator",
    "http://example.org/a.png",
    *(f"How do I kill orphaned process number {k}?" for k in range(13)),
)
NOTE = '\U0001f914 hm, "so"\nשלום <b>x</b>   '


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    given = os.environ.get("FRG_LABEL_STUDIO")
    folder = Path(given) if given else tmp_path_factory.mktemp("label-studio") / "venv"
    found = folder / "bin" / "label-studio"
    if not found.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [folder / "bin" / "python", "-m", "pip", "install", "-q", VERSION]
        subprocess.run(pip, check=True, timeout=900)
    return found


@pytest.fixture(scope="session")
def address(program, tmp_path_factory):
    """A running server: its URL and the key of its administrator."""
    data, key, port = tmp_path_factory.mktemp("data"), secrets.token_hex(20), free_port()
    mine = {
        "LABEL_STUDIO_BASE_DATA_DIR": str(data),
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "LABEL_STUDIO_USERNAME": "admin@example.org",
        "LABEL_STUDIO_PASSWORD": secrets.token_hex(8),
        "LABEL_STUDIO_USER_TOKEN": key,
        "COLLECT_ANALYTICS": "False",
        "LATEST_VERSION_CHECK": "False",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
    }
    start = [program, "start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(port)]
    with (data / "log.txt").open("wb") as log:
        server = subprocess.Popen(
            start,
            env={**os.environ, **mine},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            await_answer(f"http://127.0.0.1:{port}/version", server, data / "log.txt")
            yield f"http://127.0.0.1:{port}", key
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def await_answer(url, server, log):
    for _ in range(300):
        assert server.poll() is None, log.read_text(errors="replace")[-2000:]
        try:
            with urllib.request.urlopen(url, timeout=5) as reply:
                assert b"1.23" in reply.read()
                return
        except OSError:
            time.sleep(1)
    pytest.fail(log.read_text(errors="replace")[-2000:])


@pytest.fixture(scope="session")
def people(address):
    """Three people who signed up by the invitation link: a server as each of them."""
    url, key = address
    link = url + Server(url, key).ask("GET", "/api/invite")["invite_url"]
    return {name: Server(url, sign_up(url, link, name)) for name in NAMES}


def sign_up(url, link, name):
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    browser.open(link).close()
    form = {
        "email": f"{name}@example.org",
        "password": secrets.token_hex(8),
        "csrfmiddlewaretoken": next(c.value for c in jar if c.name == "csrftoken"),
        "allow_newsletters": "false",
        "how_find_us": "friend",
    }
    data = urllib.parse.urlencode(form).encode()
    browser.open(urllib.request.Request(link, data, {"Referer": link})).close()
    with browser.open(f"{url}/api/current-user/token") as reply:
        return json.loads(reply.read())["token"]


def made_row(k, text):
    known = ("self-harm", "terrorism", "medical-advice")
    names = {"category": known[k % 3], "category_name": f"Name <{k % 3}> & $x", "domain": "D"}
    more = dict.fromkeys(("entities", "seed_ids", "refused_by", "complied_by"), ())
    more |= {"strategy": "homonym", "cast": "embedded", "rounds": 1, "run_id": "run-1"}
    scores = {"harm": 0.1, "looks_toxic": 0.9, "nearest_id": "", "nearest_score": 0.0}
    return Row(id=content_id("r", text), prompt=text, **names, **more, **scores)


def new_batch(rooms, folder, **more):
    rows = [made_row(k, text) for k, text in enumerate(TEXTS)]
    wanted = Wanted(annotators=NAMES, overlap=3, controls=0.2, **more)
    export(make_plan(rows, load_pools(rooms), wanted), folder, ["label-studio"])
    return read_batch(folder)


def labels_of(name, item):
    """What a person says of an item: not the same everywhere."""
    number = sum(map(ord, name + item))
    return {q.name: q.answers[(number + k) % len(q.answers)] for k, q in enumerate(QUESTIONS)}


def annotate(server, project, name):
    """Answer every task of a project; returns texts and answers by item as the person saw them."""
    tasks = server.ask("GET", f"/api/tasks?project={project}&page_size=1000&fields=all")["tasks"]
    seen = {}
    for number, task in enumerate(tasks):
        labels = labels_of(name, task["data"]["item"])
        result = [
            {"from_name": n, "to_name": "prompt", "type": "choices", "value": {"choices": [a]}}
            for n, a in labels.items()
        ]
        kind = {"from_name": "note", "to_name": "prompt", "type": "textarea"}
        result.append({**kind, "value": {"text": [NOTE]}})
        body = {"result": [] if number == 0 else result, "was_cancelled": number == 0}
        made = f"/api/tasks/{task['id']}/annotations/"
        server.ask("POST", made, {**body, "lead_time": 2.5})
        seen[task["data"]["item"]] = (task["data"]["prompt"], {} if number == 0 else labels)
    return seen


def answers_of(batch):
    store = batch.store()
    try:
        return {(a.annotator, a.item): a for a in store.answers()}
    finally:
        store.close()


def pulled(batch, server):
    names = Names(batch)
    return import_answers(batch, pull_batch(batch, server, names), names)


def test_three_people_annotate_and_nothing_is_lost(rooms, address, people, tmp_path):
    batch = new_batch(rooms, tmp_path / "main")
    admin = Server(*address)
    projects = push_batch(batch, admin)
    assert set(projects) == set(NAMES)
    assert admin.url in (batch.folder / STATE).read_text(encoding="utf-8")
    with pytest.raises(UsageError, match="pushed before"):
        push_batch(batch, admin)
    nothing = pulled(batch, admin)
    assert not nothing.kept
    assert {len(left) for left in nothing.missing.values()} == {len(batch.items)}

    for name, server in people.items():
        seen = annotate(server, projects[name], name)
        assert {one: text for one, (text, _) in seen.items()} == {
            one: item.prompt for one, item in batch.items.items()
        }
        assert list(seen) == batch.assignment[name], "everybody has an order of their own"

    found = pulled(batch, admin)
    assert (found.problems, found.missing) == ([], {})
    assert found.kept["new"] == 3 * len(batch.items)
    answers = answers_of(batch)
    skipped = [answer for answer in answers.values() if answer.skipped]
    assert [answer.labels for answer in skipped] == [{}, {}, {}]
    for (name, item), answer in answers.items():
        assert answer.skipped or (answer.labels, answer.note) == (labels_of(name, item), NOTE)
        assert answer.seconds == 2.5
        assert answer.at.endswith("+00:00")
    assert dict(pulled(batch, admin).kept) == {"same": len(answers)}
    files_say_the_same(rooms, admin, projects, answers, tmp_path)


def files_say_the_same(rooms, admin, projects, answers, tmp_path):
    """Exports saved by hand, full and flat, give the same answers in a batch made anew."""
    for kind in ("JSON", "JSON_MIN"):
        place = tmp_path / kind / "main"
        batch = new_batch(rooms, place)
        for name, number in projects.items():
            told = admin.ask("GET", f"/api/projects/{number}/export?exportType={kind}")
            (place / f"for-{name}" / "export.json").write_text(json.dumps(told), encoding="utf-8")
        found = import_files(batch, sorted(place.glob("for-*/export.json")))
        assert not found.lost
        there = answers_of(batch)
        full = {key: a for key, a in answers.items() if kind == "JSON" or not a.skipped}
        assert {key: a.labels for key, a in there.items() if not a.skipped} == {
            key: a.labels for key, a in full.items() if not a.skipped
        }
        assert {a.note for a in there.values() if not a.skipped} == {NOTE}


def test_somebody_else_in_a_project_is_not_taken_for_its_owner(rooms, address, people, tmp_path):
    batch = new_batch(rooms, tmp_path / "other", rng=3)
    admin = Server(*address)
    projects = push_batch(batch, admin)
    annotate(people["bob"], projects["anna"], "bob")
    found = pulled(batch, admin)
    assert {name for name, _ in answers_of(batch)} == {"bob"}
    assert set(found.missing) == {"anna", "carla"}
    annotate(admin, projects["carla"], "carla")  # an address that the batch does not know
    found = pulled(batch, admin)
    assert {name for name, _ in answers_of(batch)} == {"bob", "carla"}
    assert found.kept["new"] == len(batch.items)


def test_predictions_are_taken_by_the_server(rooms, address, tmp_path):
    rows = [made_row(k, text) for k, text in enumerate(TEXTS[:4])]
    plan = make_plan(rows, load_pools(rooms), Wanted(annotators=("anna",), controls=0.2))
    export(plan, tmp_path / "told", ["label-studio"], preannotate=True)
    batch = read_batch(tmp_path / "told")
    admin = Server(*address)
    number = push_batch(batch, admin)["anna"]
    path = f"/api/projects/{number}/export?exportType=JSON&download_all_tasks=true"
    assert {len(task["predictions"]) for task in admin.ask("GET", path)} == {1}
    found = pulled(batch, admin)
    assert not found.kept, "a prediction is nobody's answer"


def test_a_wrong_key_makes_nothing(rooms, address, tmp_path):
    batch = new_batch(rooms, tmp_path / "key")
    url, key = address
    before = Server(url, key).ask("GET", "/api/projects?page_size=1")["count"]
    with pytest.raises(EndpointError, match="401") as caught:
        push_batch(batch, Server(url, "no-such-key"))
    assert "no-such-key" not in str(caught.value)
    assert not (batch.folder / STATE).exists()
    assert Server(url, key).ask("GET", "/api/projects?page_size=1")["count"] == before


def test_pushing_over_the_command_line(address, small_run, tmp_path):
    url, key = address
    out = tmp_path / "cli"
    shutil.copytree(small_run.out / "dataset", tmp_path / "run" / "dataset")
    env = {**os.environ, "LABEL_STUDIO_API_KEY": key}
    program = [sys.executable, "-m", "falsereject_gen.cli.main", "annotate"]
    export_ = [*program, "export", tmp_path / "run", "--annotators", "anna,bob"]
    export_ += ["--overlap", "2", "--out", out, "--push", url, "--json"]
    done = subprocess.run(export_, env=env, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    assert set(told["projects"]) == {"anna", "bob"}
    pull = [*program, "import", out, "--pull", url, "--json"]
    done = subprocess.run(pull, env=env, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1])["new"] == 0
    texts = [p.read_text(errors="replace") for p in out.rglob("*") if p.is_file()]
    assert not [text for text in texts if key in text], "the key stands in a file"
