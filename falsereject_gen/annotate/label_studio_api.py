"""Label Studio's server: projects and tasks out, annotations back. Nothing but what is needed.

One project a person, so that everybody gets their own items in their own order. The key comes from
LABEL_STUDIO_API_KEY only, goes to the named server only (redirects are refused) and is in no file.
"""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from falsereject_gen.annotate.folder import Batch
from falsereject_gen.annotate.formats.label_studio import read_tasks, tasks
from falsereject_gen.annotate.guideline import guideline_body
from falsereject_gen.annotate.inbox import Source
from falsereject_gen.annotate.names import Names
from falsereject_gen.annotate.questions import labeling_config
from falsereject_gen.errors import EndpointError, InputError, UsageError
from falsereject_gen.files import replace_file

__all__ = ["KEY", "STATE", "Server", "pull_batch", "push_batch"]

KEY = "LABEL_STUDIO_API_KEY"
STATE = "label-studio.json"
"""In the batch's folder: the server's URL and each annotator's project, for `pull_batch`."""
_CHUNK = 500
_TITLE = 50
_SECONDS = 600


class _NoRedirect(HTTPRedirectHandler):
    """A redirect would carry the key elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        """Refuse it: the opener then raises the HTTP error itself."""


class Server:
    """A Label Studio server, asked over HTTP.

    Args:
        url: such as http://localhost:8080.
        key: an access token of a user: a legacy token or a personal access token.

    Raises:
        UsageError: no URL of a server.
    """

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.username:
            shown = url.rpartition("@")[2]
            raise UsageError(f"{shown}: write it like http://localhost:8080")
        self.url = url.rstrip("/")
        self._open = build_opener(_NoRedirect()).open
        self._key, self._bearer = key, ""

    @classmethod
    def of_environment(cls, url: str) -> "Server":
        """A server with the key of the environment.

        Raises:
            UsageError: the key is not set, or no URL.
        """
        key = os.environ.get(KEY, "").strip()
        if not key:
            raise UsageError(f"set {KEY} to an access token of {url} (Account & Settings there)")
        return cls(url, key)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What the server answers, as JSON; None when it answers nothing.

        Raises:
            EndpointError: it cannot be reached or refuses.
        """
        status, answer = self._send(method, path, body, self._headers())
        if status == 401 and self._bearer:  # an access token lives for minutes
            self._bearer = ""
            status, answer = self._send(method, path, body, self._headers())
        if status >= 300:
            raise EndpointError(f"{self.url}: {method} {path.partition('?')[0]}: {status} {answer}")
        return answer

    def _headers(self) -> dict[str, str]:
        if self._key.count(".") != 2:
            return {"Authorization": f"Token {self._key}"}
        if not self._bearer:
            status, got = self._send("POST", "/api/token/refresh", {"refresh": self._key}, {})
            if status >= 300 or not isinstance(got, dict) or not got.get("access"):
                raise EndpointError(f"{self.url}: the token of {KEY} is not accepted ({status})")
            self._bearer = str(got["access"])
        return {"Authorization": f"Bearer {self._bearer}"}

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        sent = Request(self.url + path, data, method=method)
        for name, value in {**headers, "Content-Type": "application/json"}.items():
            sent.add_header(name, value)
        try:
            with self._open(sent, timeout=_SECONDS) as reply:
                text = reply.read()
                return reply.status, json.loads(text) if text.strip() else None
        except HTTPError as fault:
            with fault:
                return fault.code, " ".join(fault.read(2000).decode("utf-8", "replace").split())[
                    :300
                ]
        except (URLError, OSError) as fault:
            why = getattr(fault, "reason", fault)
            raise EndpointError(f"{self.url}: cannot be reached: {why}") from None
        except ValueError:
            raise EndpointError(
                f"{self.url}: {path} answered no JSON; is it Label Studio?"
            ) from None


def push_batch(batch: Batch, server: Server) -> dict[str, int]:
    """Make a project for each annotator of a batch; all of them or none.

    Returns:
        Project numbers by annotator; they are kept in the batch's folder too.

    Raises:
        UsageError: it was pushed before.
        EndpointError: the server refuses; the projects made so far are taken back.
    """
    state = batch.folder / STATE
    if state.exists():
        raise UsageError(f"{state}: pushed before; pull from there, or remove that file")
    made: dict[str, int] = {}
    try:
        for name in batch.assignment:
            answer = server.ask("POST", "/api/projects/", _project(batch, name))
            made[name] = int(_field(answer, "id", server))
            _fill(server, made[name], tasks(batch, name))
    except EndpointError as fault:
        raise EndpointError("; ".join([str(fault), *_undo(server, made.values())])) from None
    except KeyboardInterrupt:
        list(_undo(server, made.values()))
        raise
    text = json.dumps({"url": server.url, "projects": made}, indent=1, ensure_ascii=False)
    replace_file(state, [f"{text}\n".encode()])
    return made


def _undo(server: Server, numbers: Iterable[int]) -> Iterator[str]:
    """Remove projects; yields those that could not be."""
    for number in numbers:
        try:
            server.ask("DELETE", f"/api/projects/{number}/")
        except EndpointError:
            yield f"project {number} could not be removed"


def _project(batch: Batch, name: str) -> dict[str, Any]:
    return {
        "title": f"{batch.name} {name}"[:_TITLE].ljust(3, "."),
        "description": f"falsereject-gen batch {batch.name}, for {name}",
        "label_config": labeling_config(batch.warning),
        "expert_instruction": f"<p>{batch.warning}</p>{guideline_body()}",
        "show_instruction": True,
        "show_skip_button": True,
        "sampling": "Sequential sampling",
        "maximum_annotations": 1,
    }


def _fill(server: Server, number: int, made: list[dict[str, Any]]) -> None:
    for start in range(0, len(made), _CHUNK):
        part = made[start : start + _CHUNK]
        told = server.ask("POST", f"/api/projects/{number}/import", part)
        if (took := _field(told, "task_count", server)) != len(part):
            what = f"took {took} of {len(part)} tasks"
            raise EndpointError(f"{server.url}: project {number} {what}")


def pull_batch(batch: Batch, server: Server, names: Names) -> Iterator[Source]:
    """What people have answered in a batch's projects, for `inbox.import_answers`.

    A person is known by the e-mail address; where that names none of the batch's annotators, and
    nobody else has answered in the project, it is the one for whom the project was made.

    Raises:
        InputError: the batch was not pushed, or to another server.
        EndpointError: the server cannot be reached or refuses.
    """
    people = {
        user["id"]: str(user.get("email") or user.get("username") or user["id"])
        for user in _listed(server.ask("GET", "/api/users/"))
    }
    for name, number in _state(batch.folder / STATE, server).items():
        path = f"/api/projects/{number}/export?exportType=JSON&download_all_tasks=true"
        found = server.ask("GET", path)
        if not isinstance(found, list) or not all(isinstance(task, dict) for task in found):
            raise EndpointError(f"{server.url}: project {number}: no list of tasks came back")
        for one in (one for task in found for one in task.get("annotations") or []):
            who = one.get("completed_by")
            who = who.get("id") if isinstance(who, dict) else who
            mail = people.get(who, str(who))
            one["completed_by"] = mail if batch.open or names.knows(mail) else f"#{mail}"
        at = f"{server.url}/projects/{number}"
        yield Source(at, "label-studio", "" if batch.open else name, read_tasks(found))


def _field(answer: Any, name: str, server: Server) -> Any:
    """A field of an answer that Label Studio always gives."""
    if not isinstance(answer, dict) or name not in answer:
        raise EndpointError(f"{server.url}: its answer has no `{name}`; is it Label Studio?")
    return answer[name]


def _listed(answer: Any) -> list[dict[str, Any]]:
    """A list, paged or not."""
    return answer["results"] if isinstance(answer, dict) else list(answer)


def _state(path: Path, server: Server) -> dict[str, int]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        url, projects = str(found["url"]), dict(found["projects"])
    except FileNotFoundError:
        raise InputError("not there: push the batch first", path=path) from None
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise InputError(f"cannot be read: {fault}", path=path) from None
    if url != server.url:
        raise InputError(f"it was pushed to {url}, not to {server.url}", path=path)
    return projects
