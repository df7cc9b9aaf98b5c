"""Talking to Label Studio: what a server that misbehaves does to us, and where the key goes."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from falsereject_gen.annotate.batch import export
from falsereject_gen.annotate.controls import Pools
from falsereject_gen.annotate.folder import read_batch
from falsereject_gen.annotate.label_studio_api import KEY, STATE, Server, pull_batch, push_batch
from falsereject_gen.annotate.names import Names
from falsereject_gen.annotate.plan import Wanted, make_plan
from falsereject_gen.errors import EndpointError, InputError, UsageError

SECRET = "s3cret-key"


class Fake:
    """A server that answers as `replies` say: (method, path) to a status and a body."""

    def __init__(self):
        self.replies, self.asked = {}, []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                size = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(size)
                key = self.command, self.path.partition("?")[0]
                fake.asked.append((*key, self.headers.get("Authorization"), body))
                found = fake.replies.get(key, (404, {"detail": "none"}))
                status, told, *more = found() if callable(found) else found
                data = told if isinstance(told, bytes) else json.dumps(told).encode()
                self.send_response(status)
                for name, value in more:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_DELETE = answer

            def log_message(self, *rest):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def fake():
    server = Fake()
    yield server
    server.close()


@pytest.fixture
def batch(made, tmp_path):
    plan = make_plan([made(k) for k in range(6)], Pools(), Wanted(annotators=("a", "b"), overlap=2))
    export(plan, tmp_path / "b1", ["csv"])
    return read_batch(tmp_path / "b1")


def said(fake, method):
    return [path for verb, path, _, _ in fake.asked if verb == method]


def test_projects_are_taken_back_when_one_fails(fake, batch):
    numbers = iter([7, 8])
    fake.replies = {
        ("POST", "/api/projects/"): lambda: (201, {"id": next(numbers)}),
        ("POST", "/api/projects/7/import"): (201, {"task_count": 6}),
        ("POST", "/api/projects/8/import"): (500, {"detail": "disk full"}),
        ("DELETE", "/api/projects/7/"): (204, b""),
        ("DELETE", "/api/projects/8/"): (204, b""),
    }
    with pytest.raises(EndpointError, match=r"500 .*disk full"):
        push_batch(batch, Server(fake.url, SECRET))
    assert said(fake, "DELETE") == ["/api/projects/7/", "/api/projects/8/"]
    assert not (batch.folder / STATE).exists()


def test_a_project_that_took_fewer_tasks_fails(fake, batch):
    fake.replies = {
        ("POST", "/api/projects/"): (201, {"id": 7}),
        ("POST", "/api/projects/7/import"): (201, {"task_count": 5}),
        ("DELETE", "/api/projects/7/"): (204, b""),
    }
    with pytest.raises(EndpointError, match="took 5 of 6 tasks"):
        push_batch(batch, Server(fake.url, SECRET))


@pytest.mark.parametrize("reply", [{}, [], None, "x"])
def test_another_kind_of_server_is_found_out(fake, batch, reply):
    fake.replies = {("POST", "/api/projects/"): (200, reply), ("GET", "/api/users/"): (200, [])}
    with pytest.raises(EndpointError, match="is it Label Studio"):
        push_batch(batch, Server(fake.url, SECRET))


def test_what_cannot_be_taken_back_is_said(fake, batch):
    fake.replies = {
        ("POST", "/api/projects/"): (201, {"id": 7}),
        ("POST", "/api/projects/7/import"): (500, {"detail": "disk full"}),
    }
    with pytest.raises(EndpointError, match=r"disk full.*project 7 could not be removed"):
        push_batch(batch, Server(fake.url, SECRET))


def test_a_redirect_does_not_carry_the_key_away(fake):
    other = Fake()
    try:
        fake.replies = {("GET", "/api/users/"): (302, b"", ("Location", f"{other.url}/api/users/"))}
        with pytest.raises(EndpointError, match="302"):
            Server(fake.url, SECRET).ask("GET", "/api/users/")
        assert other.asked == []
    finally:
        other.close()


def test_a_personal_access_token_is_changed_for_short_ones(fake):
    tokens, replies = iter(["t-1", "t-2"]), iter([(401, {}), (200, [])])
    fake.replies = {
        ("POST", "/api/token/refresh"): lambda: (200, {"access": next(tokens)}),
        ("GET", "/api/users/"): lambda: next(replies),
    }
    assert Server(fake.url, "a.b.c").ask("GET", "/api/users/") == []
    used = [key for _, path, key, _ in fake.asked if path == "/api/users/"]
    assert used == ["Bearer t-1", "Bearer t-2"]
    fake.replies = {("POST", "/api/token/refresh"): (401, {})}
    with pytest.raises(EndpointError, match="not accepted") as caught:
        Server(fake.url, "a.b.c").ask("GET", "/api/users/")
    assert "a.b.c" not in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "says"),
    [((200, b"<html>"), "no JSON"), ((403, {"detail": "no"}), "403"), ((503, b""), "503")],
)
def test_what_a_server_says_wrong_is_one_line_without_the_key(fake, reply, says):
    fake.replies = {("GET", "/api/users/"): reply}
    with pytest.raises(EndpointError, match=says) as caught:
        Server(fake.url, SECRET).ask("GET", "/api/users/")
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_server_that_is_not_there_and_urls_that_are_none(fake, monkeypatch):
    fake.close()
    with pytest.raises(EndpointError, match="cannot be reached"):
        Server(fake.url, SECRET).ask("GET", "/api/users/")
    for url in ("localhost:8080", "ftp://x", "http://user:pw@host", "file:///etc/passwd"):
        with pytest.raises(UsageError, match="write it like") as caught:
            Server(url, SECRET)
        assert "pw" not in str(caught.value).replace("/etc/passwd", "")
    monkeypatch.delenv(KEY, raising=False)
    with pytest.raises(UsageError, match=f"set {KEY}"):
        Server.of_environment("http://localhost:8080")


def test_pulling_needs_what_pushing_left(fake, batch):
    fake.replies = {("GET", "/api/users/"): (200, {"results": [{"id": 1, "email": "a@x.org"}]})}
    server, names = Server(fake.url, SECRET), Names(batch)
    with pytest.raises(InputError, match="push the batch first"):
        list(pull_batch(batch, server, names))
    state = batch.folder / STATE
    state.write_text('{"url": "http://elsewhere", "projects": {}}', encoding="utf-8")
    with pytest.raises(InputError, match="pushed to http://elsewhere"):
        list(pull_batch(batch, server, names))
    state.write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read"):
        list(pull_batch(batch, server, names))
