"""The scripted server's API, roles and counters, over real sockets on loopback."""

import http.client
import json
import subprocess
import sys
import threading
import time
import urllib.parse
from contextlib import closing

import pytest

from falsereject_gen.errors import UsageError
from falsereject_gen.models.scripted_server import ScriptedServer, ServerSettings, main

VERDICT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["harm", "looks_toxic", "label", "reasons", "feedback"],
    "properties": {
        "harm": {"type": "number", "minimum": 0, "maximum": 1},
        "looks_toxic": {"type": "number", "minimum": 0, "maximum": 1},
        "label": {"type": "string", "enum": ["unsafe", "benign", "unclear"]},
        "reasons": {"type": "array", "items": {"type": "string"}},
        "feedback": {"type": "string"},
    },
}


@pytest.fixture(scope="module")
def shared():
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def server(shared):
    shared.reset(
        **{
            field: getattr(shared.settings, field)
            for field in ServerSettings.__dataclass_fields__
            if field != "host"
        }
    )
    return shared


def connect(server, timeout=10.0):
    where = urllib.parse.urlsplit(server.url)
    return closing(http.client.HTTPConnection(where.hostname, where.port, timeout=timeout))


def call(server, user="hello", *, name=None, schema=VERDICT, key="k", timeout=10.0, **more):
    body = {"model": "scripted", "messages": [{"role": "user", "content": user}], **more}
    if name:
        form = {"name": name, "strict": True, "schema": schema}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with connect(server, timeout) as connection:
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()), answer.headers


def content(server, user="hello", **more):
    status, body, _ = call(server, user, **more)
    assert status == 200, body
    return body["choices"][0]["message"]["content"]


def enough(server, name, seen, count=60):
    """Content of `count` different requests to a role, as values."""
    return [json.loads(content(server, f"{seen} {n}", name=name)) for n in range(count)]


def wait_for(happened, seconds=5.0):
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def test_a_completion_has_the_shape_of_the_api(server):
    status, body, headers = call(server)
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert body["object"] == "chat.completion"
    assert body["model"] == "scripted"
    choice = body["choices"][0]
    assert choice["finish_reason"] == "stop"
    assert choice["logprobs"] is None
    assert choice["message"]["role"] == "assistant"
    assert choice["message"]["content"]
    usage = body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 2


def test_models_are_listed_and_a_wrong_key_is_told(server):
    with connect(server) as connection:
        connection.request("GET", "/v1/models")
        listed = json.loads(connection.getresponse().read())
        assert "scripted" in [entry["id"] for entry in listed["data"]]
        connection.request("GET", "/v1/models", headers={"Authorization": "Bearer wrong"})
        assert connection.getresponse().status == 401
    assert call(server, key="wrong")[0] == 401


def test_the_same_request_gets_the_same_words(server):
    assert content(server, name="generator") == content(server, name="generator")
    assert content(server, "a") != content(server, "b")


def test_json_mode_and_the_role_line_give_the_role(server):
    lines = [
        {"role": "system", "content": "You judge.\nrole: discriminator\n"},
        {"role": "user", "content": "a text"},
    ]
    for form in ({"response_format": {"type": "json_object"}}, {}):
        told = json.loads(content(server, messages=lines, **form))
        assert told.keys() == VERDICT["properties"].keys()
    assert server.stats()["roles"] == {"discriminator": 2}
    lines[0]["content"] += json.dumps(
        {"type": "object", "properties": {"harm": {"type": "number"}}}
    )
    assert json.loads(content(server, messages=lines)).keys() == {"harm"}


def test_a_schema_in_the_prompt_gives_role_and_shape(server):
    shape = {"title": "DraftCategory", "type": "object", "properties": {"id": {"type": "string"}}}
    asked = f"Make one. {{not json}} Shape:\n{json.dumps(shape)}"
    told = json.loads(content(server, asked))
    assert told.keys() == {"id"}
    assert told["id"].replace("-", "").isalpha()
    fenced = content(server, f"{asked}\nReply inside a ```json fence.")
    assert fenced.startswith("```json\n{")
    assert fenced.endswith("}\n```")
    assert server.stats()["roles"] == {"draft_category": 2}


def test_a_schema_that_cannot_be_played_is_a_400_and_no_hang(server):
    status, body, _ = call(server, name="judge", schema={"properties": {"x": {"enum": []}}})
    assert status == 400
    assert "schema" in body["error"]["message"]


def test_discriminator_is_mostly_benign_and_toxic_looking_and_consistent(server):
    told = enough(server, "discriminator", "text")
    assert sum(t["harm"] < 0.5 and t["looks_toxic"] > 0.5 for t in told) > len(told) / 2
    for one in told:
        assert 0 <= one["harm"] <= 1
        assert 0 <= one["looks_toxic"] <= 1
        assert (one["label"] == "unsafe") == (one["harm"] >= 0.55)
    assert len({t["harm"] for t in told}) > 20


def test_generator_uses_the_entities_and_does_not_repeat_itself(server):
    wanted = "Write one.\nEntities to use:\n- kill (act)\n- server (object)\n\nBrief"
    schema = {"type": "object", "properties": {"prompt": {"type": "string"}}}
    told = [
        json.loads(c)["prompt"]
        for n in range(60)
        if (c := content(server, f"{wanted} {n}", name="generator", schema=schema))
    ]
    assert all("kill" in text and "server" in text for text in told)
    assert len(set(told)) == len(told) >= 55


def test_generator_declines_now_and_then(server):
    said = [call(server, f"brief {n}", name="generator")[1] for n in range(600)]
    refused = [s["choices"][0]["message"]["refusal"] for s in said]
    assert 1 <= sum(map(bool, refused)) <= 20


def test_orchestrator_mostly_accepts_and_gives_no_fault_then(server):
    kinds = ["", "unsafe", "tame", "other"]
    schema = {
        "type": "object",
        "properties": {
            "decision": {"enum": ["reject", "revise", "accept"]},
            "fault": {"enum": kinds},
        },
    }
    told = [
        json.loads(content(server, f"c {n}", name="orchestrator", schema=schema)) for n in range(80)
    ]
    decisions = [one["decision"] for one in told]
    assert 80 > decisions.count("accept") > 55
    assert all((one["fault"] == "") == (one["decision"] == "accept") for one in told)


def test_judge_sees_a_refusal(server):
    schema = {
        "type": "object",
        "properties": {"outcome": {"enum": ["full_compliance", "safe_partial", "direct_refusal"]}},
    }
    asked = "Say 'I cannot' if unsure.\n<prompt>p</prompt>\n<reply>{}</reply>"

    def outcome(reply):
        made = content(server, asked.format(reply), name="judge", schema=schema)
        return json.loads(made)["outcome"]

    refused = content(server, "how?", model="scripted-closed")
    answered = content(server, "how?", model="scripted-open")
    assert outcome(refused) == "direct_refusal"
    assert outcome(answered) != "direct_refusal"


def test_relations_join_entities_that_are_listed_and_stand_in_the_seed(server):
    part = {"type": "object", "properties": {"surface": {"type": "string"}}}
    edge = {"type": "object", "properties": {k: {"type": "string"} for k in ("source", "target")}}
    schema = {
        "type": "object",
        "properties": {
            "entities": {"type": "array", "items": {"$ref": "#/$defs/part"}},
            "relations": {"type": "array", "items": edge},
        },
        "$defs": {"part": part},
    }
    for n in range(20):
        asked = f"<seed>Where could somebody bury treasure near castle ruins number {n}?</seed>"
        told = json.loads(content(server, asked, name="extractor", schema=schema))
        names = [entity["surface"] for entity in told["entities"]]
        assert all(name in asked.lower() for name in names)
        assert {end for edge in told["relations"] for end in edge.values()} <= set(names)


def test_ranker_picks_one_of_the_candidates(server):
    schema = {"type": "object", "properties": {"best": {"type": "integer"}}}
    asked = "Candidate 1:\na\nCandidate 2:\nb\nCandidate 3:\nc\nround "
    told = [
        json.loads(content(server, f"{asked}{n}", name="ranker", schema=schema)) for n in range(30)
    ]
    assert {one["best"] for one in told} == {1, 2, 3}


def test_any_schema_is_filled_by_type(server):
    schema = {
        "type": "object",
        "properties": {
            "level": {"type": "integer", "minimum": 3, "maximum": 5},
            "maybe": {"anyOf": [{"type": "null"}, {"type": "boolean"}]},
            "kinds": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"enum": ["x", "y"]}},
            "fixed": {"const": 7},
            "word": {"type": "string", "maxLength": 5},
        },
    }
    for n in range(20):
        told = json.loads(content(server, f"q {n}", name="panel_of_some_kind", schema=schema))
        assert told["level"] in {3, 4, 5}
        assert isinstance(told["maybe"], bool)
        assert len(told["kinds"]) == 2
        assert set(told["kinds"]) <= {"x", "y"}
        assert told["fixed"] == 7
        assert 0 < len(told["word"]) <= 5


@pytest.mark.parametrize(
    ("model", "low", "high"),
    [
        ("scripted-strict", 0.55, 0.85),
        ("scripted-mild", 0.08, 0.34),
        ("scripted", 0.26, 0.54),
        ("scripted-closed", 1, 1),
        ("scripted-open", 0, 0),
    ],
)
def test_targets_refuse_at_the_rate_of_their_name(server, model, low, high):
    from falsereject_gen.models.scripted_text import looks_like_refusal

    said = [content(server, f"prompt {n}", model=model) for n in range(120)]
    share = sum(map(looks_like_refusal, said)) / len(said)
    assert low <= share <= high
    assert len(set(said)) > 30


def test_tokens_are_cut_and_reasoning_is_apart(server):
    _, body, _ = call(server, max_completion_tokens=3)
    assert body["choices"][0]["finish_reason"] == "length"
    assert len(body["choices"][0]["message"]["content"]) == 12
    _, body, _ = call(server, model="scripted-reasoner")
    assert body["choices"][0]["message"]["reasoning_content"]
    assert body["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0


@pytest.mark.parametrize(
    "sent",
    [
        {"messages": []},
        {"messages": "x"},
        {"messages": [1]},
        {"model": 3},
        {"n": 2},
        {"stream": True},
    ],
)
def test_a_request_that_is_none_is_a_400(server, sent):
    status, body, _ = call(server, **sent)
    assert status == 400
    assert body["error"]["type"] == "invalid_request_error"


def test_pages_that_are_not_there_and_unknown_models(server):
    assert call(server, model="missing-model")[1]["error"]["code"] == "model_not_found"
    with connect(server) as connection:
        for method, path, status in (
            ("GET", "/nowhere", 404),
            ("GET", "/v1/chat/completions", 405),
        ):
            connection.request(method, path)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status
        connection.request("GET", "/reset?latncy=1")
        answer = connection.getresponse()
        assert answer.status == 400
        assert b"latncy" in answer.read()


def test_repeats_of_finished_requests_are_counted(server):
    for user in ("a", "b", "a"):
        call(server, user)
    stats = server.stats()
    assert (stats["requests"], stats["unique"], stats["repeated"]) == (3, 2, 1)
    server.reset(faults="500=1")
    call(server, "c")
    call(server, "c")
    stats = server.stats()
    assert (stats["repeated"], stats["retried"], stats["ok"]) == (0, 1, 0)


def test_in_flight_and_its_peak(server):
    server.reset(latency=0.2)
    threads = [threading.Thread(target=call, args=(server, str(n))) for n in range(6)]
    for thread in threads:
        thread.start()
    wait_for(lambda: server.stats()["in_flight"] > 1)
    for thread in threads:
        thread.join()
    stats = server.stats()
    assert stats["in_flight"] == 0
    assert 2 <= stats["peak_in_flight"] <= 6
    assert stats["tokens"]["completion"] > 6


def test_loopback_only_and_no_negative_latency():
    with pytest.raises(UsageError, match="loopback only"):
        ServerSettings(host="0.0.0.0")
    with pytest.raises(UsageError, match="latency"):
        ServerSettings(latency=-1)
    with pytest.raises(UsageError, match="latency"):
        ServerSettings(latency=float("nan"))
    with pytest.raises(UsageError, match="wings"):
        ScriptedServer(wings=2)


def test_a_taken_port_is_one_line(server, capsys):
    port = urllib.parse.urlsplit(server.url).port
    assert main(["--port", str(port)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert str(port) in said
    for process in (False, True):
        with pytest.raises(UsageError, match=str(port)), ScriptedServer(port=port, process=process):
            pass


def test_in_a_process_of_its_own_and_on_the_command_line():
    with ScriptedServer(process=True, faults="503=1", no_schema=True) as server:
        assert call(server)[0] == 503
        assert call(server, name="judge")[0] == 400
    command = "from falsereject_gen.cli.scripted_server import scripted_server as s\n"
    command += "import typer; typer.run(s)"
    words = [sys.executable, "-c", command, "--port", "0", "--faults", "500=1"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as p:
        server.url = p.stdout.readline().strip()
        assert call(server)[0] == 500
        p.terminate()
