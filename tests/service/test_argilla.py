"""Argilla's own SDK reads what we write, and we read what it writes.

FRG_ARGILLA names an environment, made when it is missing (its SDK does not pin what it needs). The
SDK asks a server who the user is before it builds anything; a small one on loopback answers that.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from falsereject_gen.annotate.batch import export
from falsereject_gen.annotate.controls import Pools
from falsereject_gen.annotate.folder import read_batch
from falsereject_gen.annotate.inbox import import_files
from falsereject_gen.annotate.plan import Wanted, make_plan
from falsereject_gen.annotate.questions import QUESTIONS
from falsereject_gen.records import Row, content_id

pytestmark = [pytest.mark.service, pytest.mark.timeout(900)]

PACKAGES = ("argilla==2.8.0", "requests")
TEXTS = ("kill \U0001f9df\n\"now\", 'x'", "כיצד הורגים", "=1+1", "\ttab \r\n end  ", "</script>")
SCRIPT = r"""
import json, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer

class Me(BaseHTTPRequestHandler):
    def do_GET(self):
        who = {"id": "6d3c7b50-6f2f-4f0b-b4c4-111111111111", "username": "anna", "role": "owner",
               "first_name": "a", "last_name": None, "workspace_ids": []}
        data = json.dumps(who).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def log_message(self, *rest): pass

server = HTTPServer(("127.0.0.1", 0), Me)
threading.Thread(target=server.serve_forever, daemon=True).start()
import argilla as rg
from argilla.records._io import JsonIO
client = rg.Argilla(api_url=f"http://127.0.0.1:{server.server_port}", api_key="x")
folder, out = sys.argv[1:]
settings = rg.Settings.from_json(f"{folder}/.argilla/settings.json")
settings.validate()
rg.Dataset._load_dataset_model(path=f"{folder}/.argilla/dataset.json")
records = JsonIO._records_from_json(f"{folder}/records.json")
user = "6d3c7b50-6f2f-4f0b-b4c4-111111111111"
for record in records:
    for question in settings.questions:
        value = "hm \U0001f914" if question.name == "note" else question.labels[-1]
        record.responses.add(rg.Response(question.name, value, user_id=user))
JsonIO.to_json(records, out)
print(json.dumps({"questions": [q.name for q in settings.questions],
                  "fields": [f.name for f in settings.fields],
                  "texts": [r.fields["prompt"] for r in records]}))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    given = os.environ.get("FRG_ARGILLA")
    folder = Path(given) if given else tmp_path_factory.mktemp("argilla") / "venv"
    found = folder / "bin" / "python"
    if not found.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([found, "-m", "pip", "install", "-q", *PACKAGES], check=True, timeout=600)
    return found


def made_row(k, text):
    names = {"category": "self-harm", "category_name": "Self-Harm", "domain": "D"}
    more = dict.fromkeys(("entities", "seed_ids", "refused_by", "complied_by"), ())
    more |= {"strategy": "homonym", "cast": "embedded", "rounds": 1, "run_id": "run-1"}
    scores = {"harm": 0.1, "looks_toxic": 0.9, "nearest_id": "", "nearest_score": 0.0}
    return Row(id=content_id("r", text), prompt=text, **names, **more, **scores)


def test_the_sdk_loads_ours_and_we_read_its_own(python, tmp_path):
    rows = [made_row(k, text) for k, text in enumerate(TEXTS)]
    plan = make_plan(rows, Pools(), Wanted(annotators=("anna",), overlap=1))
    export(plan, tmp_path / "b", ["argilla"])
    batch = read_batch(tmp_path / "b")
    place = tmp_path / "b" / "for-anna"
    call = [python, "-c", SCRIPT, place / "argilla", place / "export.json"]
    done = subprocess.run(call, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["questions"] == [*(question.name for question in QUESTIONS), "note"]
    assert told["fields"] == ["prompt", "category"]
    order = batch.assignment["anna"]
    assert told["texts"] == [batch.items[one].prompt for one in order]
    found = import_files(batch, [place / "export.json"])
    assert (found.problems, found.missing, found.kept["new"]) == ([], {}, len(TEXTS))
    store = batch.store()
    answers = store.answers()
    store.close()
    assert [answer.item for answer in answers] == order
    assert all(a.labels == {q.name: q.answers[-1] for q in QUESTIONS} for a in answers)
    assert {(a.annotator, a.note) for a in answers} == {("anna", "hm \U0001f914")}
