"""The `openai` library, and nothing else of the house: one try of one call.

Its aiohttp transport, raw answers in place of response models (measured: half the CPU a call), and
its retries off, since ours are the only ones. The library's own headers that describe this machine
are left out, and organisation and project go to OpenAI only.
"""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import openai

from falsereject_gen.models.config import Target
from falsereject_gen.models.retry import Fault, classify, retry_after

try:  # openai 3 is built on httpx2, openai 2 on httpx
    from httpx2 import Limits, Response, Timeout
except ImportError:  # pragma: no cover
    from httpx import Limits, Response, Timeout  # type: ignore[assignment]

__all__ = ["Client"]


class _Quiet(openai.AsyncOpenAI):
    """The library's client with fixed headers: fewer bytes, less work, no machine described."""

    fixed: dict[str, Any] | None = None

    @property
    def default_headers(self) -> dict[str, Any]:
        if self.fixed is None:
            return super().default_headers
        return self.fixed


class Client:
    """Sends chat bodies to one endpoint.

    Args:
        target: where to.
        key: the API key, or None.
    """

    def __init__(self, target: Target, key: str | None) -> None:
        self._key = key
        self._timeout = target.settings.timeout_s
        ceiling = target.settings.concurrency + 16
        limits = Limits(max_connections=ceiling, max_keepalive_connections=ceiling)
        timeout = Timeout(self._timeout, connect=min(30.0, self._timeout), pool=None)
        self._openai = _Quiet(
            base_url=target.base_url,
            api_key=key or "none",  # never None: the library would take OPENAI_API_KEY for any host
            max_retries=0,
            timeout=timeout,
            http_client=openai.DefaultAioHttpClient(
                limits=limits, timeout=timeout, follow_redirects=False
            ),
        )
        self._openai.fixed = self._headers(target.base_url)

    def _headers(self, base_url: str) -> dict[str, Any]:
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "falsereject-gen",
        }
        if urlsplit(base_url).hostname == "api.openai.com":
            names = (("Organization", self._openai.organization), ("Project", self._openai.project))
            headers |= {f"OpenAI-{name}": value for name, value in names if value}
        return headers

    async def post(self, body: dict[str, Any]) -> bytes:
        """Send a chat body; returns the answer's body.

        Raises:
            Fault: anything but a complete answer with status 200.
        """
        return await self._try(self._openai.post("/chat/completions", cast_to=Response, body=body))

    async def models(self) -> bytes:
        """The endpoint's list of models, as it came.

        Raises:
            Fault: as for `post`.
        """
        return await self._try(self._openai.get("/models", cast_to=Response))

    async def close(self) -> None:
        """Close the connections."""
        await self._openai.close()

    async def _try(self, call: Any) -> bytes:
        try:
            async with asyncio.timeout(self._timeout):
                response: Response = await call
        except openai.APIStatusError as error:
            wait = retry_after(error.response.headers)
            raise self._scrubbed(classify(error.status_code, error.response.text, wait)) from None
        except (openai.APIConnectionError, TimeoutError) as error:
            raise self._scrubbed(self._broken(error)) from None
        return response.content

    def _broken(self, error: BaseException) -> Fault:
        """A hang or a broken connection; the library calls some of the second kind the first."""
        chain = [error]
        while (cause := chain[-1].__cause__) is not None:
            chain.append(cause)
        if any(isinstance(link, TimeoutError) for link in chain):
            return Fault("timeout", f"no answer within {self._timeout:g} s")
        return Fault("connection", str(chain[-1]) or type(chain[-1]).__name__)

    def _scrubbed(self, fault: Fault) -> Fault:
        if self._key:
            fault.says = fault.says.replace(self._key, "[key]")
        return fault
