"""The scripted server's API and counters, over real sockets on loopback."""

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
