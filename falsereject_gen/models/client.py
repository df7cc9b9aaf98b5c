"""The `openai` library's HTTP client, and nothing else of the house: one try of one call.

The library says where requests go and with what headers, once an endpoint; its client on aiohttp
sends them. What it does besides for each call (request options, response models, retries, headers
that describe this machine) is left out: a third of what a call costs (benchmarks/step_cost.py), and
our retries are the only ones. Organisation and project go to OpenAI only.
"""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import openai

from falsereject_gen.models.config import Target
from falsereject_gen.models.retry import Fault, classify, retry_after

try:  # openai 3 is built on httpx2, openai 2 on httpx
    import httpx2 as httpx
except ImportError:  # pragma: no cover
    import httpx  # type: ignore[no-redef]

__all__ = ["Client"]


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
        limits = httpx.Limits(max_connections=ceiling, max_keepalive_connections=ceiling)
        timeout = httpx.Timeout(self._timeout, connect=min(30.0, self._timeout), pool=None)
        self._http = openai.DefaultAioHttpClient(
            limits=limits, timeout=timeout, follow_redirects=False
        )
        said = openai.AsyncOpenAI(
            base_url=target.base_url,
            api_key=key or "none",  # never None: the library would take OPENAI_API_KEY for any host
            http_client=self._http,
        )
        self._chat = said.base_url.join("chat/completions")
        self._list = said.base_url.join("models")
        self._headers = httpx.Headers({**_headers(said, target.base_url), **said.auth_headers})

    async def post(self, body: dict[str, Any]) -> bytes:
        """Send a chat body; returns the answer's body.

        Raises:
            Fault: anything but a complete answer with status 200.
        """
        content = json.dumps(body, separators=(",", ":")).encode()
        return await self._try(
            httpx.Request("POST", self._chat, headers=self._headers, content=content)
        )

    async def models(self) -> bytes:
        """The endpoint's list of models, as it came.

        Raises:
            Fault: as for `post`.
        """
        return await self._try(httpx.Request("GET", self._list, headers=self._headers))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _try(self, request: "httpx.Request") -> bytes:
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._http.send(request)
        except (httpx.HTTPError, aiohttp.ClientError, OSError) as error:
            raise self._scrubbed(self._broken(error)) from None
        if answer.is_success:
            return answer.content
        wait = retry_after(answer.headers)
        raise self._scrubbed(classify(answer.status_code, answer.text, wait))

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


def _headers(said: openai.AsyncOpenAI, base_url: str) -> dict[str, str]:
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "User-Agent": "falsereject-gen",
    }
    if urlsplit(base_url).hostname == "api.openai.com":
        names = (("Organization", said.organization), ("Project", said.project))
        headers |= {f"OpenAI-{name}": value for name, value in names if value}
    return headers
