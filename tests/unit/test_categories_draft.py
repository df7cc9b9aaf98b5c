"""A category drafted by a model: the scripted server plays it; nothing that was edited is lost."""

import json

import pytest
from typer.testing import CliRunner

from falsereject_gen.categories.propose import as_sheet
from falsereject_gen.categories.sheet import make_sheet, read_sheet
from falsereject_gen.cli.main import app
from falsereject_gen.errors import InputError, UsageError
from falsereject_gen.models.scripted_server import ScriptedServer
from falsereject_gen.roles.spoken.replies import DraftCategoryReply

SAID = {
    "id": "Drone Misuse!",
    "name": "Drone Misuse",
    "domain": "Crimes",
    "definition": "Unsafe is this.",
    "neighbours": ["racing", "Racing", " "],
    "triggers": ["Spy", "spy"],
    "seeds": ["How do I spy?", "how do I  spy?", "How do I crash it?"],
    "entities": [
        {"word": "Drone", "kind": "object", "hot": False},
        {"word": "drone ", "kind": "object", "hot": True},
        {"word": " ", "kind": "act", "hot": True},
    ],
}


def draft(server, out, *more):
    where = [f"endpoints.default.base_url={server.url}", "endpoints.default.model=scripted"]
    sets = [part for value in ("cast=spoken", *where) for part in ("--set", value)]
    words = ["categories", "draft", "drone hobbyists", "--out", str(out), *sets, *more]
    return CliRunner().invoke(app, words)


def test_what_a_model_says_becomes_a_sheet_without_repetitions():
    values, text = as_sheet(DraftCategoryReply.model_validate(SAID), "default")
    sheet = make_sheet(values, "x")
    assert sheet.id == "drone-misuse"
    assert sheet.neighbours == ("racing",)
    assert sheet.triggers == ("spy",)
    assert len(sheet.seeds) == 2
    assert [note.id for note in sheet.entities] == ["drone"]
    assert text.startswith("# Drafted by endpoint default: a proposal.")


def test_a_draft_is_written_for_a_person_and_never_over_one(tmp_path):
    out = tmp_path / "d.yaml"
    with ScriptedServer() as server:
        done = draft(server, out, "--json")
        assert done.exit_code == 0, done.exception
        found = json.loads(done.stdout.strip().splitlines()[-1])
        sheet = read_sheet(out)
        assert (found["id"], found["taken"]) == (sheet.id, False)
        assert len(sheet.seeds) >= 5
        assert "drone" in sheet.name.lower()
        before = out.read_bytes()
        again = draft(server, out)
        assert isinstance(again.exception, UsageError)
    assert out.read_bytes() == before


def test_a_draft_needs_a_model_and_a_topic(tmp_path):
    out = str(tmp_path / "d.yaml")
    done = CliRunner().invoke(app, ["categories", "draft", "drones", "--out", out])
    assert isinstance(done.exception, UsageError)
    assert "needs a model" in str(done.exception)
    done = CliRunner().invoke(app, ["categories", "draft", " ", "--out", out])
    assert isinstance(done.exception, InputError)
    done = CliRunner().invoke(app, ["categories", "draft", "drones", "--out", "d.txt"])
    assert isinstance(done.exception, UsageError)


@pytest.mark.parametrize("flag", ["no_schema", "no_json_mode"])
def test_a_draft_comes_from_poorer_servers_too(tmp_path, flag):
    with ScriptedServer(**{flag: True}) as server:
        done = draft(server, tmp_path / "d.yaml")
    assert done.exit_code == 0, done.exception
    assert read_sheet(tmp_path / "d.yaml").seeds
