"""The HTTP of the scripted server: framing, pipelining, bad bytes, speed."""

import asyncio
import json
import socket
import time
import urllib.parse

import pytest

from falsereject_gen.models.scripted_http import BadRequest, RequestReader
from falsereject_gen.models.scripted_server import ScriptedServer, ServerSettings


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
    assert raw(server, request("still there")).startswith(b"HTTP/1.1 200 ")


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
