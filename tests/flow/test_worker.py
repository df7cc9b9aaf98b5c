"""The process that makes the calls: it outlives a killed run, and its own death is told."""

import asyncio
import logging
import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from falsereject_gen.errors import StoreError, UsageError
from falsereject_gen.models import worker
from falsereject_gen.models.config import EndpointSettings
from falsereject_gen.models.desk import open_models
from falsereject_gen.models.protocol import Message
from falsereject_gen.models.remote import RemoteModels
from falsereject_gen.models.scripted_server import ScriptedServer

ASK = """
import asyncio, sys
from pathlib import Path
from falsereject_gen.models.config import EndpointSettings
from falsereject_gen.models.desk import open_models
from falsereject_gen.models.protocol import Message

async def main(url, store):
    given = {"default": EndpointSettings(base_url=url, model="m")}
    async with open_models(given, store=Path(store), apart=True) as models:
        endpoint = models.get()
        request = endpoint.request([Message(role="user", content="hello")], role="test")
        print("asking", flush=True)
        await endpoint.chat(request)
        print("answered", flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def the_server():
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def server(the_server):
    the_server.reset(latency=0.0, faults="")
    return the_server


def opened(server, tmp_path, **more):
    given = {"default": EndpointSettings(base_url=server.url, model="m", **more)}
    return open_models(given, store=tmp_path / "run.sqlite", apart=True)


async def hello(models, content="hello"):
    endpoint = models.get()
    return await endpoint.chat(
        endpoint.request([Message(role="user", content=content)], role="test")
    )


def calls(folder):
    found = sqlite3.connect(folder / "run.sqlite").execute("SELECT count(*) FROM calls")
    return found.fetchone()[0]


def test_a_call_under_way_when_the_run_is_killed_is_kept_and_never_asked_again(server, tmp_path):
    server.reset(latency=1.0, faults="")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", ASK, server.url, str(tmp_path / "run.sqlite")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as run:
        assert run.stdout.readline() == b"asking\n"
        while not server.stats()["in_flight"]:
            time.sleep(0.01)
        run.kill()
    assert run.returncode == -signal.SIGKILL
    assert calls(tmp_path) == 0, "the reply must still be under way for this test to mean anything"

    async def again():
        async with opened(server, tmp_path) as models:  # waits for the process that was left
            return await hello(models)

    assert asyncio.run(again()).cached
    assert server.stats()["requests"] == 1


def test_the_death_of_the_process_is_one_line(server, tmp_path):
    server.reset(latency=5.0, faults="")

    async def go():
        models = opened(server, tmp_path)
        assert isinstance(models, RemoteModels)
        async with models:
            waiting = asyncio.ensure_future(hello(models))
            await asyncio.sleep(0.2)
            models._process.kill()
            with pytest.raises(StoreError, match=r"makes the calls ended .*--resume"):
                await waiting
            with pytest.raises(StoreError):
                await hello(models, "another")

    with pytest.raises(StoreError, match="makes the calls ended"):
        asyncio.run(go())


def test_usage_status_failures_and_log_are_those_of_the_process(server, tmp_path, caplog):
    server.reset(latency=0.0, faults="500=1")

    async def go():
        async with opened(server, tmp_path) as models:
            waiting = asyncio.ensure_future(hello(models))
            while not models.budget.usage.total.failures:
                await asyncio.sleep(0.01)
            server.reset(latency=0.0, faults="")
            reply = await waiting
            await asyncio.sleep(2 * worker.STATUS_S)
            return reply, models.budget.usage.total, models.status()

    with caplog.at_level(logging.WARNING, logger="falsereject_gen"):
        reply, spent, status = asyncio.run(go())
    assert not reply.cached
    assert spent.calls == 1
    assert spent.failures >= 1
    assert [one.name for one in status] == ["default"]


def test_a_folder_has_one_such_process(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "PATIENT_S", 0.1)
    worker._lock(tmp_path)
    with pytest.raises(StoreError, match="another process is at work on this run"):
        worker._lock(tmp_path)


def test_a_missing_key_is_told_before_any_call(server, tmp_path, monkeypatch):
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    models = opened(server, tmp_path, key_env="NO_SUCH_KEY")
    with pytest.raises(UsageError, match="NO_SUCH_KEY"):
        models.get()
    models.abandon()
    assert models._process.returncode is not None
