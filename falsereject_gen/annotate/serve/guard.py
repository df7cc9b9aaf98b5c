"""What stands before the app: the Host that was asked for, the size of a request, headers.

A page elsewhere that points its own name at this machine (DNS rebinding) says that name in `Host`;
only names that were given, and bare addresses, are answered.
"""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["BODY_LIMIT", "Guard", "host_of", "same_site"]

BODY_LIMIT = 64 * 1024
"""Bytes that a form may have."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Guard:
    """Answers 421 to a foreign Host and 413 to a large form; adds headers to everything else.

    Args:
        app: what is guarded.
        hosts: names that may be asked for, beside loopback.
        addresses: any bare IP address may be asked for: the server listens on all of them.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str], *, addresses: bool = False) -> None:
        self._app, self._addresses = app, addresses
        self._hosts = {*_LOOPBACK, *(host.lower() for host in hosts if host)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Guard one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(headers)
        if refusal is not None:
            await refusal(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    out[name] = value
                out.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, dressed)

    def _refusal(self, headers: Headers) -> PlainTextResponse | None:
        asked = headers.getlist("host")
        if len(asked) != 1 or not self._known(host_of(asked[0])):
            return PlainTextResponse("This server does not go by that name.\n", 421)
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > BODY_LIMIT:
            return PlainTextResponse("That is too large.\n", 413)
        return None

    def _known(self, host: str) -> bool:
        if host in self._hosts:
            return True
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return False
        return self._addresses


def host_of(header: str) -> str:
    """The host in a Host header, without its port and brackets; empty when there is none."""
    try:
        return (urlsplit(f"//{header}").hostname or "") if "@" not in header else ""
    except ValueError:
        return ""


def same_site(headers: Headers, origins: Collection[str]) -> bool:
    """Whether a form was sent from a page of this server, as far as the browser says.

    Args:
        headers: of the request.
        origins: other origins that this server goes by (in front of a proxy).
    """
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    if origin is None or origin in origins:
        return True
    parts = urlsplit(origin)
    return parts.scheme in ("http", "https") and parts.netloc == headers.get("host", "")
