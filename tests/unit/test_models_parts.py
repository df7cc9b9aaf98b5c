"""Requests, errors, settings, the cache and structured replies, without HTTP."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from typing import Literal

import pytest
from pydantic import BaseModel, Field

from falsereject_gen.errors import ReplyError, RoomError, StoreError, UsageError
from falsereject_gen.models.budget import Usage
from falsereject_gen.models.cache import CallCache
from falsereject_gen.models.config import EndpointSettings, load_presets, parse_name, resolve
from falsereject_gen.models.protocol import ChatReply, ChatRequest, Message
from falsereject_gen.models.retry import Patience, classify, retry_after
from falsereject_gen.models.structured import RefusedError, ask, find_json, strict_schema
from falsereject_gen.rooms import Rooms
from falsereject_gen.run.store import Store

BASE = {
    "endpoint": "http://h/v1",
    "model": "m",
    "messages": (Message(role="user", content="hi"),),
    "sampling": {"temperature": 0.5, "seed": 1},
    "role": "judge",
}


def make(**changed):
    return ChatRequest(**{**BASE, **changed})


def test_the_key_covers_the_whole_request_but_not_who_asks():
    key = make().key
    assert key == make().key == make(role="pool").key
    assert key == make(sampling={"seed": 1, "temperature": 0.5}).key
    changes = [
        {"endpoint": "http://other/v1"},
        {"model": "n"},
        {"messages": (Message(role="user", content="hi "),)},
        {"messages": (Message(role="system", content="hi"),)},
        {"messages": (*BASE["messages"], Message(role="user", content=""))},
        {"sampling": {"temperature": 0.5, "seed": 2}},
        {"reply_schema": {"type": "object"}},
        {"structured": "fenced"},
        {"attempt": 1},
    ]
    assert len({key, *(make(**change).key for change in changes)}) == len(changes) + 1
    assert make(messages=(Message(role="user", content="\ud800 lone"),)).key


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, '{"error": {"message": "slow"}}', "rate_limit"),
        (429, '{"error": {"code": "insufficient_quota"}}', "fatal"),
        (500, "oops", "server"),
        (502, "", "server"),
        (408, "", "server"),
        (503, "", "overloaded"),
        (529, "", "overloaded"),
        (501, "", "fatal"),
        (401, "", "fatal"),
        (403, '{"error": {"message": "flagged", "metadata": {"flagged_input": "x"}}}', "filtered"),
        (400, '{"error": {"message": "too long", "code": "context_length_exceeded"}}', "request"),
        (400, '{"error": {"message": "API key not valid"}}', "fatal"),
        (400, '[{"error": {"message": "API key not valid"}}]', "fatal"),
        (400, '{"error": {"message": "mind our content policy"}}', "filtered"),
        (422, '{"detail": "bad field"}', "request"),
        (418, "", "fatal"),
    ],
)
def test_errors_are_told_apart(status, body, kind):
    assert classify(status, body).kind == kind


def test_retry_after_in_all_its_forms():
    assert retry_after({"retry-after": "1.5"}) == 1.5
    assert retry_after({"retry-after-ms": "250"}) == 0.25
    assert retry_after({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}) == 0
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({}) is None


def test_waits_double_with_jitter_up_to_a_cap():
    patience = Patience()
    fault = classify(500, "")
    for count in range(1, 15):
        full = min(20.0, 0.1 * 2 ** (count - 1))
        assert full / 2 <= patience.wait(fault, count) <= full
    assert 2.0 <= patience.wait(classify(429, "", 2.0), 1) <= 2.1


def test_presets_names_and_what_wins(monkeypatch):
    presets = load_presets(Rooms())
    names = "openai openrouter together groq mistral anthropic gemini vllm ollama llamacpp lmstudio"
    assert set(names.split()) <= presets.keys()
    target = resolve("x", parse_name("ollama:llama3:8b"), presets)
    assert (target.model, target.key_env, target.key()) == ("llama3:8b", None, None)
    target = resolve("x", EndpointSettings(model="openai:gpt"), presets)
    assert (target.model, target.key_env) == ("gpt", "OPENAI_API_KEY")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    assert target.key() == "sk-1" and "sk-1" not in repr(target)
    moved = EndpointSettings(preset="openai", model="gpt", base_url="http://elsewhere/v1/")
    target = resolve("x", moved, presets)
    assert (target.base_url, target.key_env) == ("http://elsewhere/v1", None)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"model": "m"}, "set base_url"),
        ({"model": "m", "preset": "opnai"}, "no preset `opnai`"),
        ({"model": "m", "base_url": "host:80/v1"}, "http"),
        ({"model": "m", "base_url": "http://me:secret@h/v1"}, "no user, password"),
        ({"model": "m", "base_url": "http://h/v1?key=secret"}, "no user, password"),
        ({"model": "m", "key_env": "sk-secret"}, "name of an environment variable"),
    ],
)
def test_wrong_settings_are_one_line_without_secrets(settings, says):
    with pytest.raises(UsageError, match=says) as caught:
        resolve("default", EndpointSettings(**settings), load_presets(Rooms()))
    assert "secret" not in str(caught.value)


def test_a_user_adds_a_preset_in_an_overlay(tmp_path):
    extra = tmp_path / "graphs" / "endpoints"
    extra.mkdir(parents=True)
    (extra / "mine.yaml").write_text("mine: {base_url: 'http://h/v1', key_env: MINE}", "utf-8")
    assert load_presets(Rooms(tmp_path))["mine"].key_env == "MINE"
    (extra / "mine.yaml").write_text("openai: {base_url: 'http://h/v1'}", "utf-8")
    with pytest.raises(RoomError, match="twice"):
        load_presets(Rooms(tmp_path))
    (extra / "mine.yaml").write_text("mine: {url: 'http://h/v1'}", "utf-8")
    with pytest.raises(RoomError, match="mine"):
        load_presets(Rooms(tmp_path))


def test_the_cache_shares_its_file_with_the_run_store(tmp_path):
    path = tmp_path / "run.sqlite"
    reply = ChatReply(text="yes", reasoning="hm", tokens_in=2, tokens_out=3, cost=0.5)

    async def fill(cache, store):
        async def put(n):
            await cache.put(make(attempt=n), reply)
            return cache.get(make(attempt=n).key)

        for n in range(0, 400, 100):
            replies = await asyncio.gather(*[put(n + k) for k in range(100)])
            assert all(r == reply.model_copy(update={"cached": True}) for r in replies)
            store.event(f"batch {n}")

    store, cache = Store(path), CallCache(path)
    asyncio.run(fill(cache, store))
    cache.failed(make(), "server", "boom", status=500)
    cache.close()
    store.close()
    again = CallCache(path)
    totals = {(role, model): spent for role, model, spent in again.totals() if spent.calls}
    assert (totals["judge", "m"].calls, totals["judge", "m"].tokens_out) == (400, 1200)
    assert again.failures() == [("judge", "server", 500, 1)]
    again.close()


def test_a_refusal_that_answers_nothing_was_a_call_in_this_sitting_and_in_the_next(tmp_path):
    cache, usage = CallCache(tmp_path / "run.sqlite"), Usage()
    said = ChatReply(text="", refusal="no", tokens_in=2, tokens_out=3, cost=0.5)
    asyncio.run(cache.refused(make(), said))
    usage.answered("judge", "m", said)
    cache.failed(make(), "server", "boom", status=500)
    usage.failed("judge", "m")
    cache.close()
    again, later = CallCache(tmp_path / "run.sqlite"), Usage()
    later.add(again.totals())
    again.close()
    counted = ("calls", "failures", "tokens_in", "tokens_out", "cost")
    found = [[getattr(one.total, name) for name in counted] for one in (usage, later)]
    assert found == [[1, 1, 2, 3, 0.5]] * 2


def test_a_store_that_cannot_be_written_is_one_line(tmp_path):
    path = tmp_path / "run.sqlite"
    path.write_text("no database at all, but long enough to be looked at" * 20, "utf-8")
    with pytest.raises(StoreError, match="cannot hold the call cache"):
        CallCache(path)


KILLED = """
import asyncio, sys
from pathlib import Path
from falsereject_gen.models.budget import Usage
from falsereject_gen.models.cache import CallCache
from falsereject_gen.models.protocol import ChatReply, ChatRequest, Message
cache = CallCache(Path(sys.argv[1]))
async def one(n):
    r = ChatRequest(endpoint="e", model="m", messages=(Message(role="user", content=str(n)),))
    await cache.put(r, ChatReply(text=str(n)))
    print(r.key, flush=True)
async def main():
    for n in range(0, 10**6, 20):
        await asyncio.gather(*[one(n + k) for k in range(20)])
asyncio.run(main())
"""


def test_kill_9_loses_no_finished_call(tmp_path):
    path = tmp_path / "run.sqlite"
    command = [sys.executable, "-c", KILLED, str(path)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    used = [child.stdout.readline().strip() for _ in range(50)]
    time.sleep(0.2)
    os.kill(child.pid, signal.SIGKILL)
    used += child.stdout.read().split("\n")[:-1]
    child.stdout.close()
    child.wait()
    db = sqlite3.connect(path)
    stored = {key for (key,) in db.execute("SELECT key FROM calls")}
    db.close()
    assert len(used) > 100 and set(used) <= stored


class Shape(BaseModel):
    label: Literal["a", "b"]
    harm: float = Field(ge=0, le=1)
    why: str = ""


GOOD = '{"label": "a", "harm": 0.5, "why": "x"}'


class Script:
    """A chat model that plays texts or replies and keeps the requests."""

    def __init__(self, *replies):
        self.replies, self.asked = list(replies), []

    async def chat(self, request, *, keep_refusals=False):
        self.asked.append(request)
        reply = self.replies.pop(0)
        return reply if isinstance(reply, ChatReply) else ChatReply(text=reply, model="m")


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"Sure! Here it is:\n```json\n{GOOD}\n```\nI hope {{that}} helps.",
        f"```\n{GOOD}\n```",
        f"I weigh {{a}} and {{b}} … so: {GOOD} Done.",
        f'{{"note": "an example"}} {GOOD}',
        '{"label": "a", "harm": 0.5, "why": "{\\"label\\"}"}',
    ],
)
def test_the_object_is_found_in_whatever_surrounds_it(text):
    parsed = asyncio.run(ask(Script(text), make(), Shape))
    assert (parsed.value.label, parsed.value.harm, parsed.faults) == ("a", 0.5, ())


def test_a_wrong_reply_is_asked_again_with_what_was_wrong():
    model = Script('{"label": "c", "harm": 7}', "no JSON at all", GOOD)
    parsed = asyncio.run(ask(model, make(), Shape))
    assert parsed.value.label == "a" and len(parsed.faults) == 2
    assert [r.attempt for r in model.asked] == [0, 1, 2]
    assert len({r.key for r in model.asked}) == 3
    second = model.asked[1].messages
    assert [m.role for m in second] == ["user", "assistant", "user"]
    assert "label" in second[2].content and "harm" in second[2].content
    assert len(model.asked[2].messages) == 3, "the conversation does not grow"


def test_after_two_more_it_fails_with_the_raw_text():
    cut = ChatReply(text='{"label": "a", "ha', finish_reason="length", model="m")
    with pytest.raises(ReplyError, match=r"asked 3 times.*cut at max_tokens") as caught:
        asyncio.run(ask(Script("x", "", cut), make(), Shape))
    assert caught.value.raw == cut.text


def test_a_refusal_is_no_wrong_shape_and_is_not_asked_again():
    model = Script(ChatReply(text="", refusal="I will not", model="m"))
    with pytest.raises(RefusedError) as caught:
        asyncio.run(ask(model, make(), Shape))
    assert caught.value.reply.refused and len(model.asked) == 1


def test_hostile_text_does_not_stall_the_parser():
    """Tried in nested loops these would take hours; what they take: benchmarks/quick_parts.py."""
    assert list(find_json("{" * 20_000)) == []
    assert list(find_json('{"a":' * 5_000)) == []


def test_strict_schemas_are_closed_and_require_everything():
    class Inner(BaseModel):
        title: str = "x"

    class Outer(BaseModel):
        title: str
        default: int = 3
        inner: list[Inner] = []

    schema = strict_schema(Outer)
    assert schema["required"] == ["title", "default", "inner"]
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["Inner"]["required"] == ["title"]
    assert "default" not in json.dumps(schema["properties"]["inner"])
    assert strict_schema(Outer)["properties"].keys() == {"title", "default", "inner"}
