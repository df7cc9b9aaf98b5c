"""The web app: which address does what, who may, and in which order things happen.

Every change is a POST with the person's own form token, is on disk before it is answered, and is
answered with a redirect. Work on disk is done in threads: nobody waits for somebody else's page.
"""

from collections.abc import Callable
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from falsereject_gen.annotate.pages.look import asset
from falsereject_gen.annotate.records import Answer
from falsereject_gen.annotate.serve.desk import Desk
from falsereject_gen.annotate.serve.doors import Doors, same
from falsereject_gen.annotate.serve.guard import BODY_LIMIT, Guard, same_site
from falsereject_gen.annotate.serve.sent import answer_of, fields_of
from falsereject_gen.annotate.serve.views import STATIC, Views
from falsereject_gen.errors import InputError, StoreError

__all__ = ["Access", "make_app"]

_DAYS = 180 * 24 * 3600


class Access(NamedTuple):
    """How the server is reached.

    `hosts` are names it goes by beside loopback; `addresses` says that it listens on all addresses;
    `names` lets people choose their name instead of bringing a link; `origin` is where people see
    it when a proxy stands in front.
    """

    hosts: tuple[str, ...] = ()
    addresses: bool = False
    names: bool = False
    origin: str = ""


def make_app(desk: Desk, doors: Doors, access: Access = Access()) -> ASGIApp:  # noqa: B008 - frozen
    """The app of one batch, with its guard in front."""
    site = _Site(desk, doors, access)
    routes = [
        Route("/", site.start),
        Route("/in", site.enter, methods=["POST"]),
        Route("/in/{link}", site.invited),
        Route("/begin", site.begin, methods=["POST"]),
        Route("/leave", site.leave, methods=["POST"]),
        Route("/next", site.onward),
        Route("/row/{number:int}", site.row),
        Route("/row/{number:int}", site.answer, methods=["POST"]),
        Route("/mine", site.mine),
        Route("/done", site.done),
        Route("/guideline", site.guideline),
        Route("/static/{name}", site.static),
    ]
    handlers = {HTTPException: site.refused, InputError: site.unusable, StoreError: site.unsaved}
    app = Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type]
    return Guard(app, access.hosts, addresses=access.addresses)


class _Site:
    def __init__(self, desk: Desk, doors: Doors, access: Access) -> None:
        self._desk, self._doors, self._access = desk, doors, access
        self._views = Views(desk, doors)

    # Coming in ---------------------------------------------------------------------------------

    async def start(self, request: Request) -> Response:
        who = self._who(request)
        if who is None:
            status = 200 if self._access.names else 403
            return HTMLResponse(self._views.door(self._access.names), status)
        return await self._html(self._views.start, who)

    async def invited(self, request: Request) -> Response:
        who = self._doors.welcome(request.path_params["link"])
        if who is None:
            raise HTTPException(403, "This link is nobody's. Ask for a new one.")
        return self._welcome(who)

    async def enter(self, request: Request) -> Response:
        self._check_origin(request)
        fields = fields_of(await _body(request))
        if not self._access.names:
            raise HTTPException(403, "Open the link that you were sent.")
        if not self._doors.knows(fields.get("token", "")):
            return HTMLResponse(self._views.door(True, "That is not the word."), 403)
        if fields.get("name") not in self._doors.people:
            raise HTTPException(403, "Nobody of that name is in this batch.")
        return self._welcome(fields["name"])

    async def begin(self, request: Request) -> Response:
        who, _ = await self._form(request)
        answer = _to("/next")
        self._bake(answer, f"{self._doors.cookie}_begun", self._doors.begun(who))
        return answer

    async def leave(self, request: Request) -> Response:
        await self._form(request)
        answer = _to("/")
        for name in (self._doors.cookie, f"{self._doors.cookie}_begun"):
            answer.delete_cookie(name, path="/")
        return answer

    # Rows --------------------------------------------------------------------------------------

    async def onward(self, request: Request) -> Response:
        who = self._someone(request)
        return _to(await run_in_threadpool(self._ahead, who, 0))

    async def row(self, request: Request) -> Response:
        who = self._someone(request)
        number = self._number(request, who)
        return await run_in_threadpool(self._shown, request, who, number)

    async def answer(self, request: Request) -> Response:
        who, fields = await self._form(request)
        number = self._number(request, who)
        item = self._desk.item(who, number)
        if item is None or fields.get("item") != item.id:
            raise HTTPException(409, "That form is of another batch. Open your link again.")
        if fields.get("do") == "undo":
            back = await run_in_threadpool(self._desk.undo, who)
            return _to(f"/row/{back or number}")
        answer, fault = answer_of(fields, who, item.id, self._desk.batch.questions)
        status = 422
        if not fault:
            try:
                return _to(await run_in_threadpool(self._kept, answer, number))
            except StoreError:
                fault, status = (
                    "Not saved: the disk of the server would not take it. Try again.",
                    503,
                )
        return await self._html(self._views.row, who, number, fault, answer, status=status)

    async def mine(self, request: Request) -> Response:
        who = self._someone(request)
        page = request.query_params.get("page", "1")
        number = int(page) if page.isascii() and page.isdigit() and len(page) < 7 else 1
        return await self._html(self._views.mine, who, max(number, 1))

    async def done(self, request: Request) -> Response:
        who = self._someone(request)
        if await run_in_threadpool(self._desk.next_open, who):
            return _to("/next")
        return await self._html(self._views.done, who)

    # What anybody may read -----------------------------------------------------------------------

    async def guideline(self, request: Request) -> Response:
        self._someone(request)
        return HTMLResponse(self._views.guideline())

    async def static(self, request: Request) -> Response:
        kind = STATIC.get(request.path_params["name"])
        if kind is None:
            raise HTTPException(404)
        keep = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(asset(request.path_params["name"]), media_type=kind, headers=keep)

    # What goes wrong -----------------------------------------------------------------------------

    async def refused(self, _: Request, fault: HTTPException) -> Response:
        heads = {403: "Not for you", 404: "Nothing here", 405: "Not like that", 409: "Not saved"}
        text = "" if fault.status_code in (404, 405) else fault.detail
        head = heads.get(fault.status_code, "That did not work")
        return HTMLResponse(self._views.message(head, text), fault.status_code, fault.headers)

    async def unusable(self, _: Request, fault: InputError) -> Response:
        return HTMLResponse(self._views.message("That did not work", str(fault)), 400)

    async def unsaved(self, _: Request, __: StoreError) -> Response:
        text = "The disk of the server would not take it. What was saved before is kept."
        return HTMLResponse(self._views.message("Not saved", text, "/next"), 503)

    # ---------------------------------------------------------------------------------------------

    def _who(self, request: Request) -> str | None:
        return self._doors.inside(request.cookies.get(self._doors.cookie))

    def _someone(self, request: Request) -> str:
        who = self._who(request)
        if who is None:
            raise HTTPException(403, "Open the link that you were sent; it brings you back here.")
        return who

    def _warned(self, request: Request, who: str) -> bool:
        """Whether a person has seen the content warning: they said so, or have answered before."""
        cookie = request.cookies.get(f"{self._doors.cookie}_begun", "")
        return same(cookie, self._doors.begun(who)) or bool(self._desk.said(who))

    def _check_origin(self, request: Request) -> None:
        if not same_site(request.headers, (self._access.origin,)):
            raise HTTPException(403, "That form was sent from another site.")

    async def _form(self, request: Request) -> tuple[str, dict[str, str]]:
        """Who sent a form of ours, and its fields."""
        self._check_origin(request)
        who = self._someone(request)
        fields = fields_of(await _body(request))
        if not same(fields.get("csrf", ""), self._doors.form(who)):
            raise HTTPException(403, f"That form is not of {who}. Open your own link again.")
        return who, fields

    def _number(self, request: Request, who: str) -> int:
        number: int = request.path_params["number"]
        if self._desk.item(who, number) is None:
            raise HTTPException(404)
        return number

    def _ahead(self, who: str, after: int) -> str:
        number = self._desk.next_open(who, after)
        return f"/row/{number}" if number else "/done"

    def _shown(self, request: Request, who: str, number: int) -> Response:
        if not self._warned(request, who):
            return _to("/")
        return HTMLResponse(self._views.row(who, number))

    def _kept(self, answer: Answer, number: int) -> str:
        """Where to go next; the answer is on disk by then."""
        self._desk.keep(answer)
        return self._ahead(answer.annotator, number)

    def _welcome(self, who: str) -> Response:
        answer = _to("/")
        self._bake(answer, self._doors.cookie, self._doors.session(who))
        return answer

    def _bake(self, answer: Response, name: str, value: str) -> None:
        secure = self._access.origin.startswith("https:")
        answer.set_cookie(
            name, value, max_age=_DAYS, path="/", httponly=True, samesite="lax", secure=secure
        )

    async def _html(
        self, view: Callable[..., str], *values: object, status: int = 200
    ) -> HTMLResponse:
        return HTMLResponse(await run_in_threadpool(view, *values), status)


def _to(place: str) -> Response:
    return RedirectResponse(place, 303)


async def _body(request: Request) -> bytes:
    """A form's bytes; one that says no length and does not end is cut off too."""
    out = bytearray()
    async for chunk in request.stream():
        out += chunk
        if len(out) > BODY_LIMIT:
            raise HTTPException(413, "That is too large.")
    return bytes(out)
