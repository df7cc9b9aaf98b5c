"""Each fault of the scripted server, its limits and its restart, over real sockets."""

import http.client
import json
import threading
import time
import urllib.parse
from contextlib import closing

import pytest

from falsereject_gen.errors import UsageError
from falsereject_gen.models.scripted_server import FAULTS, ScriptedServer, ServerSettings
from falsereject_gen.models.scripted_settings import draw_fault, parse_faults

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


@pytest.mark.parametrize(
    ("fault", "status", "code", "after"),
    [
        ("429", 429, "rate_limit_exceeded", "1"),
        ("429_bare", 429, "rate_limit_exceeded", None),
        ("quota", 429, "insufficient_quota", None),
        ("500", 500, None, None),
        ("503", 503, "overloaded", None),
        ("401", 401, "invalid_api_key", None),
        ("403", 403, "permission_denied", None),
        ("404", 404, "model_not_found", None),
    ],
)
def test_faults_that_are_a_status(server, fault, status, code, after):
    server.reset(faults=f"{fault}=1")
    found, body, headers = call(server)
    assert found == status
    assert body["error"]["code"] == code
    assert body["error"]["message"]
    assert headers["Retry-After"] == after
    stats = server.stats()
    assert stats["faults"] == {fault: 1}
    assert (stats["requests"], stats["ok"], stats["status"]) == (1, 0, {str(status): 1})


def test_faults_that_spoil_the_content(server):
    def choice(fault, **more):
        server.reset(faults=f"{fault}=1")
        status, body, _ = call(server, name="discriminator", **more)
        assert status == 200
        assert server.stats()["faults"] == {fault: 1}
        return body["choices"][0]

    for fault in ("bad_json", "length"):
        with pytest.raises(ValueError, match="line"):
            json.loads(choice(fault)["message"]["content"])
    assert choice("length")["finish_reason"] == "length"
    assert choice("empty")["message"]["content"] == ""
    assert "harm" not in json.loads(choice("wrong_schema")["message"]["content"])
    prose = choice("prose")["message"]["content"]
    assert "harm" in json.loads(prose.split("```json\n")[1].split("\n```")[0])
    refusal = choice("refusal")["message"]
    assert refusal["content"] is None
    assert refusal["refusal"]
    assert choice("filter")["finish_reason"] == "content_filter"
    thought = choice("think")["message"]["content"]
    assert thought.startswith("<think>")
    assert "harm" in json.loads(thought.split("</think>")[1])


def test_faults_of_json_do_not_meet_plain_text(server):
    server.reset(faults="bad_json=0.5,wrong_schema=0.5")
    assert content(server)
    assert server.stats()["faults"] == {}


def test_drop_breaks_the_connection_and_truncated_looks_whole(server):
    server.reset(faults="drop=1")
    with pytest.raises(http.client.IncompleteRead):
        call(server)
    server.reset(faults="truncated=1")
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        call(server)
    assert server.stats()["ok"] == 0


def test_slow_and_hang(server):
    server.reset(latency=0.05, faults="slow=1")
    start = time.monotonic()
    assert call(server)[0] == 200
    assert time.monotonic() - start >= 0.25
    server.reset(faults="hang=1", latency=0)
    with pytest.raises(TimeoutError):
        call(server, timeout=0.2)
    wait_for(lambda: server.stats()["abandoned"] == 1)
    assert server.stats()["in_flight"] == 0


def test_every_fault_stands_in_this_file():
    from pathlib import Path

    told = Path(__file__).read_text(encoding="utf-8")
    assert [fault for fault in FAULTS if told.count(f'"{fault}') == 0] == []


def test_bucket_lets_through_what_it_should(server):
    server.reset(rps=20, burst=5)
    found = [call(server, str(n)) for n in range(12)]
    statuses = [status for status, _, _ in found]
    assert statuses[:5] == [200] * 5
    assert 429 in statuses
    limited = next(headers for status, _, headers in found if status == 429)
    assert limited["Retry-After"] == "1"
    time.sleep(float(limited["retry-after-ms"]) / 1000 + 0.01)
    assert call(server, "again")[0] == 200


@pytest.mark.parametrize(
    ("setting", "sent", "param"),
    [
        ("no_schema", {"name": "judge"}, "response_format"),
        ("no_json_mode", {"response_format": {"type": "json_object"}}, "response_format"),
        ("no_json_mode", {"name": "judge"}, "response_format"),
        ("no_temperature", {"temperature": 0.5}, "temperature"),
        ("max_completion_tokens_only", {"max_tokens": 9}, "max_tokens"),
    ],
)
def test_what_a_server_does_not_know_is_a_400(server, setting, sent, param):
    assert call(server, **sent)[0] == 200
    server.reset(**{setting: True})
    status, body, _ = call(server, **sent)
    assert (status, body["error"]["param"]) == (400, param)
    assert call(server, max_completion_tokens=9)[0] == 200
    if setting == "no_schema":
        assert call(server, response_format={"type": "json_object"})[0] == 200


def test_a_restart_refuses_for_a_while_and_comes_back(server):
    server.reset(latency=5)
    cut = []

    def ask():
        try:
            call(server, "x")
        except (OSError, http.client.HTTPException) as fault:
            cut.append(fault)

    thread = threading.Thread(target=ask)
    thread.start()
    wait_for(lambda: server.stats()["in_flight"] == 1)
    server.restart(0.5)
    thread.join(4)
    assert len(cut) == 1, "the request under way was not cut"
    with pytest.raises(ConnectionRefusedError):
        call(server)
    wait_for(lambda: _opens(server))
    server.reset(latency=0)
    assert call(server)[0] == 200


def _opens(server):
    try:
        return bool(server.stats())
    except OSError:
        return False


def test_faults_do_not_depend_on_order(server):
    server.reset(faults="500=0.3,429=0.2", seed=5)
    one = {n: call(server, str(n))[0] for n in range(40)}
    server.reset(faults="500=0.3,429=0.2", seed=5)
    assert {n: call(server, str(n))[0] for n in reversed(range(40))} == one
    assert set(one.values()) == {200, 429, 500}
    server.reset(seed=6)
    assert {n: call(server, str(n))[0] for n in range(40)} != one


def test_fault_shares_come_out_and_a_retry_draws_anew():
    faults = parse_faults("429=0.1, drop=0.05")
    drawn = [draw_fault(faults, 0, b"%d" % n, 1, structured=True) for n in range(20_000)]
    assert drawn.count("429") == pytest.approx(2000, rel=0.1)
    assert drawn.count("drop") == pytest.approx(1000, rel=0.15)
    assert len({draw_fault({"500": 0.5}, 0, b"x", k, structured=True) for k in range(30)}) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("boom=0.1", "unknown fault `boom`.*429.*bad_json"),
        ("429", "429=P"),
        ("429=2", "from 0 to 1"),
        ("429=nan", "from 0 to 1"),
        ("429=x", "from 0 to 1"),
        ("429=0.1,429=0.2", "twice"),
        ("429=0.6,500=0.6", "more than 1"),
    ],
)
def test_faults_are_read_strictly(text, told):
    with pytest.raises(UsageError, match=told):
        ServerSettings(faults=text)
