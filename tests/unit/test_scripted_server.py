"""The scripted server over real sockets on loopback: its API, its roles, each of its faults."""

import asyncio
import http.client
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from contextlib import closing

import pytest

from falsereject_gen.errors import UsageError
from falsereject_gen.models.scripted_http import BadRequest, RequestReader
from falsereject_gen.models.scripted_server import FAULTS, ScriptedServer, ServerSettings, main
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


def enough(server, name, seen, count=60):
    """Content of `count` different requests to a role, as values."""
    return [json.loads(content(server, f"{seen} {n}", name=name)) for n in range(count)]


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


def wait_for(happened, seconds=5.0):
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def test_every_fault_is_shown_above():
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


def raw(server, *parts, pause=0.0):
    """Bytes to the server, in parts; what came back until it closed."""
    where = urllib.parse.urlsplit(server.url)
    with socket.create_connection((where.hostname, where.port), timeout=5) as line:
        for part in parts:
            line.sendall(part)
            time.sleep(pause)
        return b"".join(iter(lambda: line.recv(65536), b""))


CLOSE = b"Connection: close\r\n"


def request(user, head=CLOSE, body=None):
    text = json.dumps({"model": "m-open", "messages": [{"role": "user", "content": user}]}).encode()
    text = text if body is None else body
    length = b"" if b"chunked" in head else b"Content-Length: %d\r\n" % len(text)
    return b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n" + head + length + b"\r\n" + text


def test_pipelined_requests_are_answered_in_order(server):
    server.reset(latency=0.05)
    last = b"GET /v1/models HTTP/1.1\r\n" + CLOSE + b"\r\n"
    answers = raw(server, request("one", b"") + request("two", b"") + last)
    assert answers.count(b"HTTP/1.1 200 OK") == 3
    alone = [raw(server, request(user, b"") + last) for user in ("one", "two")]
    ids = [answer.split(b'"id": "')[1][:30] for answer in alone]
    assert [part[:30] for part in answers.split(b'"id": "')[1:3]] == ids
    assert answers.index(b"chatcmpl") < answers.index(b'"object": "list"')


def test_chunked_and_slow_bodies(server):
    text = request("c").split(b"\r\n\r\n", 1)[1]
    chunks = b"".join(b"%x;x=y\r\n%s\r\n" % (len(p), p) for p in (text[:9], text[9:])) + b"0\r\n"
    whole = raw(server, request("c"))
    for end in (b"\r\n", b"X-Trailer: 1\r\n\r\n"):
        sent = request("c", CLOSE + b"Transfer-Encoding: chunked\r\n", chunks + end)
        assert raw(server, sent).split(b"\r\n\r\n")[1] == whole.split(b"\r\n\r\n")[1]
        parts = [sent[n : n + 25] for n in range(0, len(sent), 25)]
        assert raw(server, *parts, pause=0.001).endswith(whole.split(b"\r\n\r\n")[1])


def test_continue_and_large_bodies(server):
    big = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x" * 9_000_000}]})
    sent = request("", CLOSE + b"Expect: 100-continue\r\n", big.encode())
    head, body = sent.split(b"\r\n\r\n", 1)
    answers = raw(server, head + b"\r\n\r\n", body, pause=0.05)
    assert answers.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 70_000, 431),
    ],
)
def test_bytes_that_are_no_request(server, sent, status):
    assert raw(server, sent).startswith(b"HTTP/1.1 %d " % status)
    assert call(server)[0] == 200


def test_the_reader_cuts_where_requests_end():
    reader = RequestReader()
    sent = request("a", b"") + b"\r\n" + request("b")
    found = []
    for byte in sent:
        reader.waiting.append(byte)
        if one := reader.next():
            found.append(one)
    assert [json.loads(one.body)["messages"][0]["content"] for one in found] == ["a", "b"]
    assert [one.keep_alive for one in found] == [True, False]
    with pytest.raises(BadRequest):
        reader.waiting += b"nonsense\r\n\r\n"
        reader.next()


def test_it_is_fast_enough_not_to_be_measured():
    """A thousand requests a second with a client in plain Python beside it: far below its limit."""
    count, width = 1500, 16

    async def client(port):
        left = iter(range(count))

        async def one():
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for n in left:
                writer.write(request(f"text {n}", b""))
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
            writer.close()
            await writer.wait_closed()

        await asyncio.gather(*[one() for _ in range(width)])

    with ScriptedServer(process=True) as server:
        start = time.monotonic()
        asyncio.run(client(urllib.parse.urlsplit(server.url).port))
        took = time.monotonic() - start
        assert server.stats()["ok"] == count
    assert count / took > 500
