"""What tests share: a shut network, one encoder, the rooms, and one small finished run.

The network is shut but for loopback, in this process. Heavy things are made once a session.
"""

import ipaddress
import socket
from pathlib import Path

import pytest

REAL = {name: getattr(socket.socket, name) for name in ("connect", "connect_ex")}
REAL_LOOKUP = socket.getaddrinfo


def pytest_configure(config):
    """textblob never closes its lexicon; that is not ours to mend, and not to hide elsewhere."""
    config.addinivalue_line("filterwarnings", r"ignore:unclosed file .*textblob:ResourceWarning")


class NetworkShut(Exception):
    """A test reached for the network. No OSError, so that no retry of the product hides it."""


def is_loopback(host):
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def guarded(method):
    def call(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and not is_loopback(address[0]):
            raise NetworkShut(f"a test reached for {address}")
        return REAL[method](self, address)

    return call


def lookup(host, *rest, **named):
    if not is_loopback(host):
        raise NetworkShut(f"a test looked up {host}")
    return REAL_LOOKUP(host, *rest, **named)


@pytest.fixture(scope="session", autouse=True)
def shut_network():
    with pytest.MonkeyPatch.context() as patch:
        for name in REAL:
            patch.setattr(socket.socket, name, guarded(name))
        patch.setattr(socket, "getaddrinfo", lookup)
        yield


@pytest.fixture(scope="session")
def root():
    """The checkout."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data(root):
    """Third-party data beside the checkout."""
    place = root.parent / "shared" / "data"
    if not place.is_dir():
        pytest.skip("third-party data (../shared/data) is not here")
    return place


@pytest.fixture(scope="session")
def rooms():
    from falsereject_gen.rooms import Rooms

    return Rooms()


@pytest.fixture(scope="session")
def taxonomy(rooms):
    from falsereject_gen.taxonomy import load_taxonomy

    return load_taxonomy(rooms)[0]


@pytest.fixture(scope="session")
def crosswalks(rooms):
    from falsereject_gen.taxonomy import load_taxonomy

    return load_taxonomy(rooms)[1]


class Remembering:
    """The encoder; a bulk request that comes again (the same seeds) is answered from memory."""

    def __init__(self, encoder):
        self.one, self.some = encoder.one, encoder.some
        self.deep, self.deep_many = encoder.deep, encoder.deep_many
        self._many, self._known = encoder.many, {}

    def many(self, texts):
        key = tuple(texts)
        if key not in self._known:
            self._known[key] = self._many(texts)
        return self._known[key].copy()


@pytest.fixture(scope="session")
def encoder():
    """MiniLM, loaded once."""
    from falsereject_gen.dedup.encoder import MiniLM

    return Remembering(MiniLM())


@pytest.fixture(scope="session")
def lexicon(rooms):
    from falsereject_gen.entities.lexicon import load_lexicon

    return load_lexicon(rooms)


@pytest.fixture(scope="session")
def knowledge(rooms):
    from falsereject_gen.roles.embedded.knowledge import load_knowledge

    return load_knowledge(rooms)


@pytest.fixture(scope="session")
def triggers(taxonomy, lexicon, rooms):
    from falsereject_gen.roles.embedded.triggers import Triggers

    return Triggers(taxonomy, lexicon, rooms)


@pytest.fixture(scope="session")
def warm(encoder):
    """Whoever makes an encoder gets the loaded one: a run then costs seconds, not half a minute."""
    from falsereject_gen.dedup import encoder as home
    from falsereject_gen.run import world

    with pytest.MonkeyPatch.context() as patch:
        for module in (home, world):
            patch.setattr(module, "MiniLM", lambda: encoder)
        yield


@pytest.fixture(scope="session")
def make_run(warm):
    """Run the main job in this process: `make_run(folder, target=24, sets=[...])`."""
    from falsereject_gen.job import run
    from falsereject_gen.settings import load_settings

    def make(folder, *, sets=(), resume=False, watcher=None, **given):
        settings = load_settings(None, sets, **given)
        return run(settings, folder, resume=resume, watcher=watcher)

    return make


@pytest.fixture(scope="session")
def small_run(make_run, tmp_path_factory):
    """A finished run of 24 rows from the bundled seeds. Look, don't touch."""
    return make_run(tmp_path_factory.mktemp("small") / "run", target=24)


@pytest.fixture(scope="session")
def few_seeds(rooms, tmp_path_factory):
    """A seed file with 4 of our seeds from each of 8 categories, in our own format."""
    from falsereject_gen.records import Seed
    from falsereject_gen.seeds.bundled import seed_files
    from falsereject_gen.seeds.write import write_seeds

    out = tmp_path_factory.mktemp("seeds") / "few.jsonl"
    kept = [
        Seed.make(text, part.category, source="ours", licence="Apache-2.0")
        for part in seed_files(rooms)[::6]
        for text in part.seeds[:4]
    ]
    write_seeds(kept, out)
    return out
