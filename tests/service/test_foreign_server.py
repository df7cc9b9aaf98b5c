"""A server nobody here wrote: `transformers serve` on loopback, with a tiny random model.

FRG_TRANSFORMERS_SERVE names its environment, which is made when it is missing (10 s: what it lacks
beside ours); without it a temporary one is made. Nothing is downloaded but packages. The model
talks gibberish and the server ignores `response_format` and cannot list its models, so what is
claimed is that the client stays upright, not that rows come out.
"""

import asyncio
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import sysconfig
import time
import urllib.request
from importlib.metadata import version
from pathlib import Path

import pytest
from pydantic import BaseModel

from falsereject_gen.errors import EndpointError, ReplyError
from falsereject_gen.models.config import EndpointSettings
from falsereject_gen.models.desk import open_models
from falsereject_gen.models.protocol import Message
from falsereject_gen.models.structured import ask

pytestmark = [pytest.mark.service, pytest.mark.timeout(1200)]

MAKE_MODEL = """
import sys, torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

torch.manual_seed(0)
words = ["<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
whole = Tokenizer(models.BPE(vocab={word: k for k, word in enumerate(words)}, merges=[]))
whole.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
whole.decoder = decoders.ByteLevel()
names = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "</s>"}
tokenizer = PreTrainedTokenizerFast(tokenizer_object=whole, **names)
tokenizer.chat_template = (
    "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\\n{% endfor %}assistant: "
)
tokenizer.save_pretrained(sys.argv[1])
sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 32768}
ids = {"vocab_size": len(words), "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
model = LlamaForCausalLM(LlamaConfig(**sizes, **heads, **ids))
model.generation_config.begin_suppress_tokens = [1]  # never an empty reply
model.save_pretrained(sys.argv[1])
"""
QUIET = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "COLUMNS": "2000"}
POST = '"POST /v1/chat/completions HTTP/1.1" 200'


class Colour(BaseModel):
    colour: str
    sure: bool


@pytest.fixture(scope="session")
def python(tmp_path_factory):
    """The Python of an environment that sees ours and has what the server needs on top."""
    given = os.environ.get("FRG_TRANSFORMERS_SERVE")
    folder = Path(given) if given else tmp_path_factory.mktemp("serve") / "venv"
    found = folder / "bin" / "python"
    if not found.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        place = "import sysconfig; print(sysconfig.get_path('purelib'))"
        inner = subprocess.run([found, "-c", place], check=True, capture_output=True, text=True)
        (Path(inner.stdout.strip()) / "outer.pth").write_text(sysconfig.get_path("purelib"))
        wanted = f"transformers[serving]=={version('transformers')}"
        subprocess.run([found, "-m", "pip", "install", "-q", wanted], check=True, timeout=900)
    return found


class Foreign:
    """The running server: where it is, the one model that it has, and what it logged."""

    def __init__(self, url, model, log):
        self.url, self.model, self.log = url, model, log

    @property
    def answers(self):
        """Chat calls that it says it answered."""
        return self.log.read_text(errors="replace").count(POST)

    def settings(self, **more):
        given = {"base_url": self.url, "model": self.model, "timeout_s": 60.0, **more}
        return {"default": EndpointSettings(**given)}

    def flags(self, model=""):
        sets = [
            "cast=spoken",
            f"endpoints.default.base_url={self.url}",
            f"endpoints.default.model={model or self.model}",
            "endpoints.default.sampling.max_tokens=32",
        ]
        return [part for one in sets for part in ("--set", one)]


@pytest.fixture(scope="session")
def server(python, tmp_path_factory):
    home, port = tmp_path_factory.mktemp("foreign"), free_port()
    env = {**os.environ, **QUIET, "HF_HOME": str(home / "none")}
    model, log = home / "tiny", home / "log.txt"
    subprocess.run([python, "-c", MAKE_MODEL, model], check=True, env=env, timeout=300)
    serve = [python, "-m", "transformers.cli.transformers", "serve", model, "--device", "cpu"]
    with log.open("wb") as out:
        running = subprocess.Popen(
            [*serve, "--host", "127.0.0.1", "--port", str(port)],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        try:
            await_health(f"http://127.0.0.1:{port}/health", running, log)
            yield Foreign(f"http://127.0.0.1:{port}/v1", str(model), log)
        finally:
            os.killpg(running.pid, signal.SIGTERM)
            try:
                running.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(running.pid, signal.SIGKILL)
                running.wait(30)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def await_health(url, running, log):
    until = time.monotonic() + 300
    while time.monotonic() < until:
        assert running.poll() is None, log.read_text(errors="replace")[-2000:]
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail(log.read_text(errors="replace")[-2000:])


def with_endpoint(server, path, do, **more):
    """What `do(endpoint)` returns, and the endpoint's status afterwards."""

    async def go():
        async with open_models(server.settings(**more), store=path) as models:
            endpoint = models.get()
            return await do(endpoint), endpoint.status()

    return asyncio.run(go())


def asked(endpoint, text="Hi", attempt=0, **sampling):
    sampling = {"temperature": 1.0, "top_p": 0.95, "max_tokens": 24, **sampling}
    message = Message(role="user", content=text)
    return endpoint.request([message], role="test", sampling=sampling, attempt=attempt)


def rows(path, query):
    store = sqlite3.connect(path)
    found = store.execute(query).fetchall()
    store.close()
    return found


def count(path, table, where="1"):
    return rows(path, f"SELECT count(*) FROM {table} WHERE {where}")[0][0]


def test_plain_calls_are_answered_counted_and_kept(server, tmp_path):
    async def talk(endpoint):
        many = [endpoint.chat(asked(endpoint, attempt=k)) for k in range(8)]
        return [*await asyncio.gather(*many), await endpoint.chat(asked(endpoint))]

    before = server.answers
    (*replies, again), _ = with_endpoint(server, tmp_path / "run.sqlite", talk)
    for reply in replies:
        assert reply.text and reply.counted and not reply.refused
        assert reply.tokens_in > 0 and 1 <= reply.tokens_out <= 24
        assert reply.finish_reason in {"stop", "length"} and reply.model.startswith(server.model)
    assert again.cached and again.text == replies[0].text
    assert count(tmp_path / "run.sqlite", "calls") == server.answers - before == 8
    assert count(tmp_path / "run.sqlite", "failures") == 0


@pytest.mark.parametrize("mode", ["auto", "json_object", "fenced"])
def test_a_schema_it_ignores_is_a_clean_reply_error_in_one_mode(server, tmp_path, mode):
    async def talk(endpoint):
        before, faults = endpoint.status().structured, []
        for attempt in (0, 10):
            with pytest.raises(ReplyError) as caught:
                await ask(endpoint, asked(endpoint, "Sky?", attempt), Colour, retries=1)
            faults.append(caught.value)
        return before, faults

    got, status = with_endpoint(server, tmp_path / "run.sqlite", talk, structured=mode)
    assert got[0] == mode
    assert status.structured == ("json_schema" if mode == "auto" else mode)
    for fault in got[1]:
        assert fault.raw and "\n" not in str(fault)
        assert "asked 2 times, no usable reply: it " in str(fault)
    assert count(tmp_path / "run.sqlite", "calls") == 4
    assert count(tmp_path / "run.sqlite", "failures") == 0  # no mode was tried and refused


def test_a_reply_that_is_cut_is_told_as_cut(server, tmp_path):
    async def talk(endpoint):
        assert (await endpoint.chat(asked(endpoint, max_tokens=1))).cut
        with pytest.raises(ReplyError, match="cut at max_tokens"):
            await ask(endpoint, asked(endpoint, max_tokens=1), Colour, retries=0)

    with_endpoint(server, tmp_path / "run.sqlite", talk)


def test_a_model_it_does_not_have_ends_at_once(server, tmp_path):
    async def talk(endpoint):
        with pytest.raises(EndpointError, match="no-such-model") as caught:
            await endpoint.chat(asked(endpoint))
        return str(caught.value)

    said, _ = with_endpoint(server, tmp_path / "run.sqlite", talk, model="no-such-model")
    assert "[400 " in said and "\n" not in said
    assert rows(tmp_path / "run.sqlite", "SELECT status FROM failures") == [(400,)]


def command(root, *args):
    """The command line as a user runs it; returns its exit code, output and errors."""
    whole = [sys.executable, "-m", "falsereject_gen.cli.main", *map(str, args)]
    env = {**os.environ, **QUIET}
    done = subprocess.run(whole, cwd=root, env=env, capture_output=True, text=True, timeout=900)
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    assert "never retrieved" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("model", ["", "no-such-model"])
def test_doctor_gives_one_line_of_advice_a_problem(root, server, model):
    code, out, err = command(root, "doctor", *server.flags(model))
    assert code == 1 and not err, err
    said = re.findall(r"^problem: default, (.+?): .+", out, re.M)
    table = re.findall(r"^(?:default)? +(\S.*?) +problem ", out, re.M)
    assert said == table == ["structured"], out
    well = ["reachable", "key", "model"] + ([] if model else ["latency"])
    for check in well:
        assert re.search(rf"^(?:default)? +{check} +ok ", out, re.M), out
    if model:
        assert "no-such-model" in out


EARLY = ()
LATE = (
    *("--set", "roles.extractor=[embedded]", "--set", "roles.generator=[embedded]"),
    *("--set", "endpoints.default.concurrency=8"),
)


@pytest.mark.parametrize(("sets", "roles"), [(EARLY, {"extractor"}), (LATE, {"discriminator"})])
def test_a_whole_run_on_gibberish_ends_clean_and_goes_on(
    root, server, few_seeds, tmp_path, sets, roles
):
    out = tmp_path / "run"
    store, before = out / "run.sqlite", server.answers
    common = ["run", "--target", 2, "--seeds", few_seeds, "--out", out, *server.flags(), *sets]
    ends_clean(command(root, *common, "--set", "budget.calls=60"))
    first = set(rows(store, "SELECT key, reply FROM calls"))
    assert 0 < len(first) <= 60
    assert roles <= {role for (role,) in rows(store, "SELECT DISTINCT role FROM calls")}
    assert len(first) + count(store, "failures", "error = 'empty'") == server.answers - before
    resume = ["run", "--resume", out, "--set", "budget.calls=66"]
    ends_clean(command(root, *resume))
    after = set(rows(store, "SELECT key, reply FROM calls"))
    assert first <= after and len(after) <= 66
    assert len(after) + count(store, "failures", "error = 'empty'") == server.answers - before


def ends_clean(done):
    """Finished, or stopped with one line that says how to go on."""
    code, _, err = done
    assert code in {0, 3}, err
    last = [line for line in err.splitlines() if line.startswith("falsereject-gen: ")]
    assert len(last) == (code == 3), err
    if last:
        assert err.splitlines()[-1] == last[0] and "--resume" in last[0], err
