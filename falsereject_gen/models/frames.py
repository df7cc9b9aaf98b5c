"""Python values over a socket between two processes of ours: length, then pickle.

What is sent during one turn of the event loop leaves in one write. Both ends are this package, on
one machine, over a socket pair that nobody else can open: that is why pickle is safe here.
"""

import asyncio
import pickle
import struct
from collections.abc import Callable
from typing import Any

__all__ = ["Frames"]

_LENGTH = struct.Struct("<I")


class Frames(asyncio.Protocol):
    """One end of the connection.

    Args:
        take: called with each value that arrives, in order.
        ended: called once when the other end is gone.
    """

    def __init__(self, take: Callable[[Any], None], ended: Callable[[], None]) -> None:
        self._take, self._ended = take, ended
        self._in = bytearray()
        self._out: list[bytes] = []
        self._transport: asyncio.WriteTransport | None = None

    def send(self, value: Any) -> None:
        """Send a value, soon and in order; nothing happens when the other end is gone."""
        if self._transport is None:
            return
        if not self._out:
            asyncio.get_running_loop().call_soon(self._flush)
        data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
        self._out += [_LENGTH.pack(len(data)), data]

    def close(self) -> None:
        """Send what is left and end the connection."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def _flush(self) -> None:
        if self._transport is not None and self._out:
            self._transport.writelines(self._out)
        self._out = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._in += data
        start, end = 0, len(self._in)
        while start + _LENGTH.size <= end:
            (size,) = _LENGTH.unpack_from(self._in, start)
            stop = start + _LENGTH.size + size
            if stop > end:
                break
            value = pickle.loads(self._in[start + _LENGTH.size : stop])
            start = stop
            self._take(value)
        del self._in[:start]

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._transport = None
        self._ended()
