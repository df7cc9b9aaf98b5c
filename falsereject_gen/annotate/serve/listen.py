"""From a folder to a server that listens: which batch, which address, whose links.

The only file that knows uvicorn. The access log stays off: addresses hold invite links.
"""

import contextlib
import hashlib
import importlib.util
import ipaddress
import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from falsereject_gen.annotate.folder import MANIFEST, read_batch
from falsereject_gen.annotate.guideline import guideline_md
from falsereject_gen.errors import InputError, UsageError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from falsereject_gen.annotate.serve.desk import Desk
    from falsereject_gen.annotate.serve.doors import Doors

__all__ = ["Wish", "find_batch", "serve"]

SHORTEST = 16
"""Characters that a token has at least."""


class Wish(NamedTuple):
    """How somebody wants a batch served; see `annotate serve --help`."""

    host: str = "127.0.0.1"
    port: int = 8765
    token: str = ""
    names: bool = False
    url: str = ""
    people: tuple[str, ...] = ()
    new_links: bool = False


def find_batch(folder: Path, ask: Callable[[Sequence[Path]], Path] | None = None) -> Path:
    """The batch that a folder is or holds: itself, or one in its `annotation` folder.

    Args:
        folder: a batch, a run, or a folder of batches.
        ask: chooses where there are several.

    Raises:
        InputError: there is none.
        UsageError: there are several, and nobody to ask.
    """
    if (folder / MANIFEST).is_file():
        return folder
    places = [folder / "annotation", folder]
    inside = [*places[:1], *(one for place in places for one in sorted(place.glob("*")))]
    found = list(dict.fromkeys(one for one in inside if (one / MANIFEST).is_file()))
    if not found:
        what = f"no batch in it (no {MANIFEST}); make one with `annotate export`"
        raise InputError(what, path=folder)
    if len(found) == 1:
        return found[0]
    if ask is None:
        names = ", ".join(str(one) for one in found)
        raise UsageError(f"{folder} holds {len(found)} batches; name one of them: {names}")
    return ask(found)


def serve(folder: Path, wish: Wish, say: Callable[[str], None]) -> None:
    """Serve a batch until interrupted.

    Args:
        folder: of a batch.
        wish: address, token, people.
        say: takes lines for whoever started it: links first.

    Raises:
        UsageError: an address that needs a token, a port that is taken, nobody to annotate.
        InputError: no batch.
        StoreError: answers or the secret cannot be written.
    """
    _needs("starlette", "uvicorn")
    check(wish)
    from falsereject_gen.annotate.serve.app import Access, make_app  # noqa: PLC0415 - extra
    from falsereject_gen.annotate.serve.desk import Desk  # noqa: PLC0415 - extra
    from falsereject_gen.annotate.serve.doors import Doors, secret_of  # noqa: PLC0415 - extra

    desk = Desk(read_batch(folder), wish.people)
    try:
        doors = Doors(secret_of(folder, anew=wish.new_links), desk.people, wish.token)
        with _listening(wish) as sock:
            where = (wish.url or _url(wish, sock)).rstrip("/")
            own = socket.gethostname() if _everywhere(wish.host) else wish.host
            access = Access(
                hosts=(own, urlsplit(where).hostname or ""),
                addresses=_everywhere(wish.host),
                names=wish.names,
                origin=wish.url.rstrip("/"),
            )
            for line in _told(desk, doors, where, wish.names):
                say(line)
            _run(make_app(desk, doors, access), sock)
    finally:
        desk.close()


def check(wish: Wish) -> None:
    """Refuse what would let strangers in.

    Raises:
        UsageError: what it is, and what to do.
    """
    if wish.token and len(wish.token) < SHORTEST:
        raise UsageError(
            f"--token: at least {SHORTEST} characters; say {secrets.token_urlsafe(18)}"
        )
    if not wish.token and not _loopback(wish.host):
        what = "is no loopback address: others can reach it, so it needs a token"
        raise UsageError(f"--host {wish.host} {what}; say --token {secrets.token_urlsafe(18)}")
    parts = urlsplit(wish.url)
    if wish.url and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise UsageError(f"--url {wish.url}: http:// or https:// and a name")
    if wish.url and parts.path.strip("/"):
        raise UsageError(f"--url {wish.url}: the server stands at the top of its address, no path")
    if wish.url and not wish.token:
        raise UsageError(f"--url {wish.url}: others come in there, so it needs a --token")


def _loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _everywhere(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_unspecified
    return False


def _listening(wish: Wish) -> socket.socket:
    family = socket.AF_INET6 if ":" in wish.host else socket.AF_INET
    try:
        return socket.create_server((wish.host, wish.port), family=family, backlog=256)
    except OSError as fault:
        what = fault.strerror or str(fault)
        raise UsageError(f"{wish.host}, port {wish.port}: {what}; try --port 0") from None


def _url(wish: Wish, sock: socket.socket) -> str:
    host = socket.gethostname() if _everywhere(wish.host) else wish.host
    return f"http://{f'[{host}]' if ':' in host else host}:{sock.getsockname()[1]}"


def _told(desk: "Desk", doors: "Doors", where: str, names: bool) -> list[str]:
    """What whoever started the server has to know."""
    batch = desk.batch
    lines = [f"{batch.name}: {len(batch.items):,} items for {len(desk.people)}; Ctrl-C ends it"]
    lines += ["one link a person, to be sent to that person alone:"]
    width = max(len(name) for name in desk.people)
    for name in desk.people:
        done = f"{len(desk.said(name)):,} of {desk.total(name):,} done"
        lines.append(f"  {name:<{width}}  {where}/in/{doors.link(name)}  ({done})")
    if names:
        said = " and say the token" if doors.token else ""
        lines.append(f"or people choose their name{said} at {where}/")
    if _sum(guideline_md()) != batch.manifest["sha256"].get("guideline.md"):
        lines.append(
            "note: the guideline has changed since this batch was made; people see the new"
        )
    return lines


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _run(app: "ASGIApp", sock: socket.socket) -> None:
    import uvicorn  # noqa: PLC0415 - extra

    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    with contextlib.suppress(KeyboardInterrupt):  # it ends well, and then raises the signal anew
        uvicorn.Server(config).run(sockets=[sock])


def _needs(*modules: str) -> None:
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        what = f"`annotate serve` needs {', '.join(missing)}"
        raise UsageError(f"{what}: pip install 'falsereject-gen[annotate]'")
