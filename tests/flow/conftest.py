"""What flow tests with the spoken cast share: a cheap encoder and a real scripted server.

The encoder is hashed trigrams (benchmarks/cheap.py): no claim here is about embeddings.
"""

import runpy

import pytest

from falsereject_gen.models.scripted_server import ScriptedServer
from falsereject_gen.run import world

CALM = {
    "latency": 0.0,
    "faults": "",
    "retry_after": 0.02,
    "no_schema": False,
    "no_json_mode": False,
}


class Server(ScriptedServer):
    """A scripted server that a test changes for itself."""

    def calm(self, **changes):
        """Counts at zero, and no faults but those of a test."""
        self.reset(**{**CALM, **changes})


@pytest.fixture(scope="module")
def cheap(root):
    """The names of benchmarks/cheap.py, in force for the tests of a file."""
    made = runpy.run_path(str(root / "benchmarks" / "cheap.py"))
    before = made["warm"]()
    yield made
    for name, value in before.items():
        setattr(world, name, value)


@pytest.fixture(scope="module")
def the_server():
    """One scripted server for a file. Ask for `server` in a test."""
    with Server(retry_after=0.02) as server:
        yield server


@pytest.fixture
def server(the_server):
    """The server without faults, its counts at zero."""
    the_server.calm()
    return the_server


@pytest.fixture(scope="module")
def endpoint(the_server):
    """Settings that put every role on the server."""
    url = f"endpoints.default.base_url={the_server.url}"
    return ("cast=spoken", url, "endpoints.default.model=scripted")
