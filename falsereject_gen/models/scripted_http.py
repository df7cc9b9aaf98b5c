"""HTTP/1.1 of the scripted server: bytes to requests, replies to bytes, nothing of chat.

Written on asyncio.Protocol because the server must never be what a benchmark measures. Keep-alive,
pipelining (answers keep the order), Content-Length and chunked bodies. No TLS, no HTTP/2.
"""

import asyncio
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple, Protocol

__all__ = ["BadRequest", "Connection", "Handler", "Request", "RequestReader"]

MAX_HEAD = 64 * 1024
MAX_BODY = 64 * 1024 * 1024
PAUSE_ABOVE = 1024 * 1024
_LENGTH = re.compile(rb"\r\ncontent-length[ \t]*:[ \t]*([^\r]*)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding[ \t]*:[^\r]*chunked", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection[ \t]*:[^\r]*close", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect[ \t]*:[ \t]*100-continue", re.IGNORECASE)
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class BadRequest(Exception):
    """Bytes that are no request; the connection is closed after the answer."""

    def __init__(self, status: int, what: str) -> None:
        self.status = status
        super().__init__(what)


class Request(NamedTuple):
    """One request; `head` is the raw header block."""

    method: str
    target: str
    head: bytes
    body: bytes
    keep_alive: bool


class RequestReader:
    """Cuts a stream of bytes into requests; what is incomplete waits.

    `want_continue` is set when the client waits for `100 Continue` before it sends the body.
    """

    def __init__(self) -> None:
        self.waiting = bytearray()
        self.want_continue = False
        self._head = b""
        self._need = 0
        self._chunks: list[bytes] | None = None
        self._size = 0

    def next(self) -> Request | None:
        """The next whole request, or None until more bytes have come.

        Raises:
            BadRequest: not HTTP, or above the limits on head (64 KiB) and body (64 MiB).
        """
        if not self._head and not self._read_head():
            return None
        if self._chunks is None:
            if len(self.waiting) < self._need:
                return None
            body = bytes(self.waiting[: self._need])
            del self.waiting[: self._need]
        else:
            if not self._read_chunks(self._chunks):
                return None
            body = b"".join(self._chunks)
        head, self._head, self._chunks = self._head, b"", None
        return _request(head, body)

    def _read_head(self) -> bool:
        while self.waiting.startswith(b"\r\n"):  # blank lines before a request are allowed
            del self.waiting[:2]
        end = self.waiting.find(b"\r\n\r\n")
        if end < 0:
            if len(self.waiting) > MAX_HEAD:
                raise BadRequest(431, "the header block is longer than 64 KiB")
            return False
        head = bytes(self.waiting[:end])
        self._need = _body_length(head)
        del self.waiting[: end + 4]
        self._head = head
        self._chunks = [] if _CHUNKED.search(head) else None
        self._size = 0
        self.want_continue = bool(_EXPECT.search(head))
        return True

    def _read_chunks(self, chunks: list[bytes]) -> bool:
        while (end := self.waiting.find(b"\r\n")) >= 0:
            try:
                size = int(self.waiting[:end].split(b";")[0], 16)
            except ValueError:
                raise BadRequest(400, "a chunk has no size") from None
            if size == 0:
                return self._read_trailers(end)
            if size < 0 or self._size + size > MAX_BODY:
                raise BadRequest(413, "the body is longer than 64 MiB")
            if len(self.waiting) < end + size + 4:
                return False
            if self.waiting[end + 2 + size : end + size + 4] != b"\r\n":
                raise BadRequest(400, "a chunk is longer than it says")
            chunks.append(bytes(self.waiting[end + 2 : end + 2 + size]))
            self._size += size
            del self.waiting[: end + size + 4]
        if end < 0 and len(self.waiting) > MAX_HEAD:
            raise BadRequest(400, "a chunk has no size")
        return False

    def _read_trailers(self, end: int) -> bool:
        if self.waiting[end + 2 : end + 4] == b"\r\n":
            del self.waiting[: end + 4]
            return True
        stop = self.waiting.find(b"\r\n\r\n", end)
        if stop < 0:
            return False
        del self.waiting[: stop + 4]
        return True


def _body_length(head: bytes) -> int:
    found = _LENGTH.findall(head)
    if not found:
        return 0
    if len(set(found)) > 1 or not found[0].strip().isdigit() or _CHUNKED.search(head):
        raise BadRequest(400, "Content-Length contradicts itself")
    length = int(found[0])
    if length > MAX_BODY:
        raise BadRequest(413, "the body is longer than 64 MiB")
    return length


def _request(head: bytes, body: bytes) -> Request:
    line = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    if len(line) != 3 or not line[2].startswith("HTTP/1."):
        raise BadRequest(400, "not an HTTP/1.1 request")
    keep = line[2] != "HTTP/1.0" and not _CLOSE.search(head)
    return Request(line[0], line[1], head, body, keep)


class Handler(Protocol):
    """What a connection talks to."""

    connections: set["Connection"]

    def handle(self, connection: "Connection", request: Request) -> None:
        """Answer now or later, by one call of `reply`, `cut` or none (it hangs)."""

    def refuse(self, connection: "Connection", fault: BadRequest) -> None:
        """Answer bytes that are no request."""

    def lost(self, connection: "Connection") -> None:
        """The client went away while a request was under way."""


class Connection(asyncio.Protocol):
    """One connection: requests one after the other, answered in their order."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.reader = RequestReader()
        self.request: Request | None = None
        self.timer: asyncio.TimerHandle | None = None
        self._advancing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client came."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.handler.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Bytes came; those behind a request under way wait, in bounded number."""
        self.reader.waiting += data
        if self.request is None:
            self._advance()
        elif len(self.reader.waiting) > PAUSE_ABOVE:
            self.transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone: it closed (half a close counts, it is what a killed client sends)."""
        self.handler.connections.discard(self)
        if self.timer is not None:
            self.timer.cancel()
        if self.request is not None:
            self.request = None
            self.handler.lost(self)

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something after a while, unless the client goes away before."""
        if seconds <= 0:
            act()
        else:
            self.timer = asyncio.get_running_loop().call_later(seconds, act)

    def reply(self, status: int, body: bytes, headers: str = "") -> None:
        """Answer the request under way with JSON."""
        keep = self.request is not None and self.request.keep_alive
        self._write(_head(status, len(body), headers, keep=keep), body)
        self.request = None
        if not keep:
            self.transport.close()
        elif self.reader.waiting:
            self._advance()

    def cut(self, status: int, body: bytes, *, framed: bool) -> None:
        """Send half of an answer and close.

        Args:
            status: HTTP status.
            body: the whole body, of which half is sent.
            framed: announce the whole length, so that the client sees a connection that broke;
                without it the body ends where the connection does, and looks whole.
        """
        length = len(body) if framed else None
        self._write(_head(status, length, "", keep=False), body[: len(body) // 2])
        self.request = None
        self.transport.close()

    def _write(self, head: bytes, body: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(head + body)

    def _advance(self) -> None:
        if self._advancing:  # the handler answered at once: the loop below goes on
            return
        self._advancing = True
        try:
            while self.request is None and not self.transport.is_closing():
                self.request = self.reader.next()
                if self.request is None:
                    break
                self.handler.handle(self, self.request)
        except BadRequest as fault:
            self.handler.refuse(self, fault)
            self.transport.close()
        finally:
            self._advancing = False
        if self.reader.want_continue:
            self.reader.want_continue = False
            if self.request is None:
                self._write(b"HTTP/1.1 100 Continue\r\n\r\n", b"")
        self.transport.resume_reading()


def _head(status: int, length: int | None, headers: str, *, keep: bool) -> bytes:
    size = "" if length is None else f"Content-Length: {length}\r\n"
    alive = "keep-alive" if keep else "close"
    return (
        f"HTTP/1.1 {status} {_REASONS.get(status, '')}\r\nContent-Type: application/json\r\n"
        f"{size}{headers}Connection: {alive}\r\n\r\n"
    ).encode("latin-1")
