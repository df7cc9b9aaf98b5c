"""The endpoint client against real HTTP on loopback: each fault, and what is left in the store."""

import asyncio
import json
import logging
import sqlite3

import pytest

from falsereject_gen.errors import EndpointError, Stopped, UsageError
from falsereject_gen.models.config import EndpointSettings
from falsereject_gen.models.desk import open_models
from falsereject_gen.models.protocol import Message
from falsereject_gen.models.retry import CallFailed, Patience

FAST = Patience(base_s=0.002, cap_s=0.01)
KEY = "sk-very-secret-4711"
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


def answer(content="fine", finish="stop", usage=(3, 5), **message):
    return {
        "model": "served",
        "choices": [{"finish_reason": finish, "message": {"content": content, **message}}],
        "usage": {"prompt_tokens": usage[0], "completion_tokens": usage[1]} if usage else None,
    }


def error(status, says, headers="", **more):
    return status, {"error": {"message": says, **more}}, headers


class Server:
    """Plays a list of answers, then `fine` for ever; keeps the bodies and headers it was sent.

    An answer is a body (200), (status, body, headers), bytes sent raw before the connection is
    closed, a function of the request's body, or None to hang.
    """

    def __init__(self, *script):
        self.script, self.bodies, self.heads = list(script), [], []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/v1"
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def _serve(self, reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().lower().split("\r\n")
                size = next(int(x.split(":")[1]) for x in lines if x.startswith("content-length"))
                self.heads.append(head.decode())
                self.bodies.append(json.loads(await reader.readexactly(size)))
                if not await self._play(writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _play(self, writer):
        step = self.script.pop(0) if self.script else answer()
        if callable(step):
            step = step(self.bodies[-1])
        if step is None:
            await asyncio.sleep(30)
            return False
        if isinstance(step, bytes):
            writer.write(step)
            await writer.drain()
            return False
        status, body, extra = step if isinstance(step, tuple) else (200, step, "")
        data = body if isinstance(body, str) else json.dumps(body)
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{extra}"
        writer.write(f"{head}Content-Length: {len(data.encode())}\r\n\r\n{data}".encode())
        await writer.drain()
        return True


def play(*script, ask=None, store=None, budget=None, patience=FAST, **settings):
    """Run `ask(endpoint)` (default: one call) against a server that plays the script."""

    async def main():
        async with Server(*script) as server:
            given = {"base_url": server.url, "model": "m", **settings}
            models = open_models(
                {"default": EndpointSettings(**given)},
                store=store,
                patience=patience,
                **(budget or {}),
            )
            async with models:
                endpoint = models.get()
                return await (ask or one)(endpoint), server, models

    return asyncio.run(main())


def request(endpoint, text="hi", **more):
    return endpoint.request([Message(role="user", content=text)], role="tester", **more)


async def one(endpoint, **more):
    return await endpoint.chat(request(endpoint, **more))


def kept(store, table="failures", columns="role, error, status"):
    with sqlite3.connect(store) as db:
        rows = db.execute(f"SELECT {columns} FROM {table} ORDER BY rowid").fetchall()
    db.close()
    return rows


@pytest.mark.parametrize(
    ("fault", "kind", "status"),
    [
        (error(429, "slow down"), "rate_limit", 429),
        (error(429, "slow down", "Retry-After: 0\r\n"), "rate_limit", 429),
        (error(500, "boom"), "server", 500),
        (error(503, "busy"), "overloaded", 503),
        ((200, '{"choices": [{"mess', ""), "truncated", 200),
        ((200, "[1, 2]", ""), "truncated", 200),
        ({"choices": []}, "truncated", 200),
        ({"error": {"code": 502, "message": "upstream"}}, "server", 502),
        (answer(""), "empty", 200),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b'{"choices"', "connection", 0),
        (b"", "connection", 0),
    ],
)
def test_another_try_mends_it_and_the_store_says_why(tmp_path, fault, kind, status):
    store = tmp_path / "run.sqlite"
    reply, server, models = play(fault, store=store)
    assert reply.text == "fine"
    assert (reply.tokens_in, reply.tokens_out, reply.cached) == (3, 5, False)
    assert len(server.bodies) == 2
    assert kept(store) == [("tester", kind, status)]
    assert models.budget.usage.total.failures == 1


def test_retry_after_is_obeyed():
    async def timed(endpoint):
        start = asyncio.get_running_loop().time()
        await one(endpoint)
        return asyncio.get_running_loop().time() - start

    seconds, _, _ = play(error(429, "wait", "Retry-After: 0.3\r\n"), ask=timed)
    assert seconds >= 0.3


def test_a_retry_after_beyond_patience_ends_the_run():
    with pytest.raises(EndpointError, match="asks to wait 3600 s"):
        play(error(429, "wait", "Retry-After: 3600\r\n"))


def test_a_hang_is_a_timeout_and_tried_again(tmp_path):
    store = tmp_path / "run.sqlite"
    reply, _, _ = play(None, store=store, timeout_s=0.2)
    assert reply.text == "fine"
    assert kept(store) == [("tester", "timeout", 0)]


def test_a_slow_answer_within_the_timeout_is_an_answer():
    def slow(_):
        return answer("slowly")

    assert play(slow, timeout_s=5)[0].text == "slowly"


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (error(401, f"Incorrect API key provided: {KEY}"), "refuses the key; check TEST_KEY"),
        (error(403, "no permission"), "refuses the key; check TEST_KEY"),
        (error(404, "The model `m` does not exist"), "does not know this model"),
        (error(400, "The model m was not found"), "does not know this model"),
        (error(402, "Payment required"), "no quota or credit"),
        (error(429, "You exceeded it", code="insufficient_quota"), "no quota or credit"),
        ((307, "", "Location: http://elsewhere.invalid/\r\n"), "redirects elsewhere"),
        ((200, "<html>welcome</html>", ""), "answers with a web page"),
    ],
)
def test_what_no_retry_mends_stops_at_once_with_one_line(monkeypatch, tmp_path, fault, line):
    monkeypatch.setenv("TEST_KEY", KEY)
    store = tmp_path / "run.sqlite"

    async def twice(endpoint):
        with pytest.raises(EndpointError, match=line) as caught:
            await one(endpoint)
        with pytest.raises(EndpointError, match=line):
            await one(endpoint, text="another")
        return str(caught.value)

    said, server, _ = play(fault, ask=twice, store=store, key_env="TEST_KEY")
    assert "\n" not in said and KEY not in said
    assert len(server.bodies) == 1, "the second call is not even sent"
    assert f"Bearer {KEY}" in server.heads[0]
    assert KEY.encode() not in store.read_bytes()
    assert len(kept(store)) == 1


def test_gemini_speaks_of_quota_when_it_means_slower():
    busy = error(429, "You exceeded your current quota, please check your plan", code=429)
    assert play(busy)[0].text == "fine"


def test_nobody_there_is_one_line():
    async def main():
        given = EndpointSettings(base_url="http://127.0.0.1:9/v1", model="m")
        async with open_models({"default": given}, patience=FAST) as models:
            await one(models.get())

    with pytest.raises(EndpointError, match="has not answered one call"):
        asyncio.run(main())


def test_one_call_given_up_leaves_the_others(tmp_path):
    def poison(body):
        bad = "poison" in body["messages"][0]["content"]
        return error(500, "boom") if bad else answer()

    async def three(endpoint):
        await one(endpoint, text="first")
        with pytest.raises(CallFailed, match="given up after 10 tries"):
            await one(endpoint, text="poison")
        return await one(endpoint, text="last")

    store = tmp_path / "run.sqlite"
    reply, _, _ = play(*[poison] * 20, ask=three, store=store)
    assert reply.text == "fine"
    assert len(kept(store)) == 10 and len(kept(store, "calls", "key")) == 2


def test_refusal_and_filter_are_replies_not_errors_and_kept_only_if_wanted(tmp_path):
    store = tmp_path / "run.sqlite"
    stopped = error(400, "blocked by content management policy", code="content_filter")
    script = (answer(None, refusal="I cannot."), answer("", "content_filter"), stopped)

    async def three(endpoint):
        keep = [await endpoint.chat(request(endpoint, t), keep_refusals=t != "a") for t in "abc"]
        again = [await endpoint.chat(request(endpoint, t), keep_refusals=True) for t in "bc"]
        return keep, again

    (first, again), server, models = play(*script, ask=three, store=store)
    assert [(r.refusal, r.filtered, r.refused) for r in first] == [
        ("I cannot.", False, True),
        (None, True, True),
        (None, True, True),
    ]
    assert all(r.cached for r in again) and len(server.bodies) == 3
    assert kept(store) == [("tester", "refusal", 0)]
    assert models.budget.usage.total.refusals == 3


def test_a_refusal_is_met_once_more_by_the_next_sitting_and_asked_anew_by_the_same(tmp_path):
    store, no = tmp_path / "run.sqlite", answer(None, refusal="I cannot.")

    async def main():
        async with Server(no, no, answer("done")) as server:
            given = {"default": EndpointSettings(base_url=server.url, model="m")}
            sittings = []
            for _ in range(2):
                async with open_models(given, store=store, patience=FAST) as models:
                    sittings.append([await one(models.get(), text="a") for _ in range(2)])
            return sittings, len(server.bodies)

    (first, second), asked = asyncio.run(main())
    assert [(r.cached, r.refusal) for r in first] == [(False, "I cannot."), (False, "I cannot.")]
    assert [(r.cached, r.refusal) for r in second] == [(True, "I cannot."), (False, None)]
    assert asked == 3


def test_cut_replies_come_as_they_are():
    reply = play(answer("half a", "length"))[0]
    assert reply.cut and reply.text == "half a"


@pytest.mark.parametrize(
    ("given", "text", "thought"),
    [
        (answer("<think>let me see</think>\n42"), "42", "let me see"),
        (answer("let me see</think>42"), "42", "let me see"),
        (answer("<think>never done", "length"), "", "never done"),
        (answer("42", reasoning_content="let me see"), "42", "let me see"),
        (answer("42", reasoning="let me see"), "42", "let me see"),
        (answer("I think </b> so"), "I think </b> so", ""),
        (
            answer(
                [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "let me see"}]},
                    {"type": "text", "text": "42"},
                ]
            ),
            "42",
            "let me see",
        ),
    ],
)
def test_reasoning_is_kept_apart(given, text, thought):
    reply = play(given)[0]
    assert (reply.text, reply.reasoning) == (text, thought)


def test_parameters_a_model_refuses_are_learned_once(caplog):
    def picky(body):
        if "max_tokens" in body:
            says = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
            return error(400, says, param="max_tokens", code="unsupported_parameter")
        if "temperature" in body:
            return error(
                400, "Unsupported value: 'temperature' does not support 0.2", param="temperature"
            )
        return answer()

    async def two(endpoint):
        sampling = {"temperature": 0.2, "max_tokens": 50, "seed": 1}
        await one(endpoint, sampling=sampling)
        return await one(endpoint, text="again", sampling=sampling)

    with caplog.at_level(logging.INFO, "falsereject_gen.models"):
        _, server, _ = play(*[picky] * 9, ask=two)
    assert len(server.bodies) == 4, "two refusals, then straight through"
    assert {"max_completion_tokens": 50, "seed": 1}.items() <= server.bodies[-1].items()
    assert "temperature" not in server.bodies[-1]
    assert len([r for r in caplog.records if "refuses temperature" in r.message]) == 1


@pytest.mark.parametrize("status", [400, 500])
def test_structured_mode_goes_down_once_and_is_remembered(status, caplog):
    def plain(body):
        kind = body.get("response_format", {}).get("type")
        if kind:
            return error(status, f"response_format type {kind} is not supported")
        return answer('{"a": 1}')

    async def two(endpoint):
        await one(endpoint, schema=SCHEMA)
        await one(endpoint, text="again", schema=SCHEMA)
        return endpoint.status().structured

    with caplog.at_level(logging.INFO, "falsereject_gen.models"):
        mode, server, _ = play(*[plain] * 9, ask=two)
    sent = [b.get("response_format", {}).get("type") for b in server.bodies]
    assert (mode, sent) == ("fenced", ["json_schema", "json_object", None, None])
    assert server.bodies[0]["response_format"]["json_schema"]["strict"] is True
    assert "```json" in server.bodies[-1]["messages"][-1]["content"]
    assert len([r for r in caplog.records if "goes on with" in r.message]) == 2


def test_a_bare_500_on_every_schema_leads_to_json_mode():
    def crash(body):
        shape = body.get("response_format", {}).get("type")
        return error(500, "internal") if shape == "json_schema" else answer('{"a": 1}')

    async def two(endpoint):
        await one(endpoint, schema=SCHEMA)
        await one(endpoint, text="again", schema=SCHEMA)
        return endpoint.status().structured

    mode, server, _ = play(*[crash] * 9, ask=two)
    assert mode == "json_object" and len(server.bodies) == 4


def test_finished_calls_replay_and_equal_ones_under_way_are_asked_once(tmp_path):
    async def many(endpoint):
        return await asyncio.gather(*[one(endpoint, text="same") for _ in range(5)])

    store = tmp_path / "run.sqlite"
    replies, server, _ = play(ask=many, store=store, price_in=1e6, price_out=2e6)
    assert len(server.bodies) == 1
    assert sorted(r.cached for r in replies) == [False, True, True, True, True]

    async def again(endpoint):
        request_ = endpoint.request([Message(role="user", content="same")], role="other")
        object.__setattr__(request_, "endpoint", server.url)
        return await endpoint.chat(request_)

    reply, second, models = play(ask=again, store=store)
    assert reply.cached and reply.text == "fine" and not second.bodies
    assert models.budget.usage.total.cost == 3 + 2 * 5, "spent by the session before"


def test_a_budget_stops_cleanly_however_many_calls_are_open():
    async def many(endpoint):
        calls = [one(endpoint, text=str(n)) for n in range(20)]
        return await asyncio.gather(*calls, return_exceptions=True)

    results, server, _ = play(ask=many, budget={"calls": 7})
    assert len(server.bodies) == 7
    stopped = [r for r in results if isinstance(r, Stopped)]
    assert len(stopped) == 13 and stopped[0].exit_code == 3
    assert "--resume" in str(stopped[0])


def test_money_and_tokens_stop_too():
    async def until(endpoint):
        for n in range(200):
            try:
                await one(endpoint, text=str(n))
            except Stopped as stop:
                return n, str(stop)
        return None

    (made, says), _, _ = play(ask=until, budget={"tokens": 400})
    assert 5 < made <= 50 and "budget.tokens" in says
    (made, says), _, _ = play(ask=until, budget={"money": 0.001}, price_in=1.0, price_out=1.0)
    assert 5 < made <= 125 and "budget.money" in says


def test_a_cancelled_call_gives_its_place_back():
    async def cancel(endpoint):
        task = asyncio.ensure_future(one(endpoint))
        waiting = asyncio.ensure_future(one(endpoint, text="next"))
        await asyncio.sleep(0.1)
        task.cancel()
        reply = await asyncio.wait_for(waiting, 5)
        return reply, endpoint.status().in_flight

    (reply, in_flight), _, _ = play(None, ask=cancel, concurrency=1)
    assert reply.text == "fine" and in_flight == 0


def test_no_key_of_another_service_is_sent(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-4711")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Private: 4711")
    _, server, _ = play()
    assert "4711" not in server.heads[0] and "x-stainless-os" not in server.heads[0].lower()


def test_a_missing_key_is_named_before_anything_is_sent(monkeypatch):
    monkeypatch.delenv("TEST_KEY", raising=False)
    with pytest.raises(UsageError, match="set TEST_KEY"):
        play(key_env="TEST_KEY")


def test_random_faults_lose_nothing(tmp_path):
    import random

    rng = random.Random(5)

    def shaky(_):
        return rng.choices(
            [error(429, "x"), error(500, "x"), b"", (200, '{"cho', ""), answer()],
            [10, 5, 2, 2, 81],
        )[0]

    async def many(endpoint):
        return await asyncio.gather(*[one(endpoint, text=str(n)) for n in range(300)])

    store = tmp_path / "run.sqlite"
    replies, server, models = play(*[shaky] * 3000, ask=many, store=store, concurrency=32)
    assert len(replies) == 300 == len(kept(store, "calls", "key"))
    assert len(server.bodies) == 300 + len(kept(store))
    assert models.get().status().limit >= 8, "random loss is not overload"
