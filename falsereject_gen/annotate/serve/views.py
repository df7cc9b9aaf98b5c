"""What the pages of the server hold: plain values for the templates. Nothing here knows HTTP."""

import hashlib
from typing import Any

from falsereject_gen.annotate.pages.look import asked, asset, environment, warning
from falsereject_gen.annotate.records import Answer
from falsereject_gen.annotate.serve.desk import Desk
from falsereject_gen.annotate.serve.doors import Doors

__all__ = ["STATIC", "Views"]

STATIC = {"page.css": "text/css", "item.js": "text/javascript"}
"""Files that anybody may fetch, and their types; nothing else is ever read for a request."""
_PAGE = 100


class Views:
    """The pages of one batch as HTML."""

    def __init__(self, desk: Desk, doors: Doors) -> None:
        self.desk, self._doors = desk, doors
        self._questions = asked(desk.batch.questions)
        sources = "".join(asset(name) for name in STATIC)
        self._stamp = hashlib.sha256(sources.encode()).hexdigest()[:12]

    def start(self, who: str) -> str:
        """Where a person comes in: who they are, the content warning, how it goes."""
        return self._page("start", **self._counts(who), warning=warning(self.desk.batch))

    def row(self, who: str, number: int, missing: str = "", draft: Answer | None = None) -> str:
        """One item with the questions; `draft` is what was sent and could not be kept."""
        item = self.desk.item(who, number)
        if item is None:
            raise IndexError(number)
        nothing = Answer(item=item.id, annotator=who, labels={})
        return self._page(
            "row",
            **self._counts(who),
            number=number,
            item=item,
            given=draft or self.desk.given(who, item.id) or nothing,
            questions=self._questions,
            can_undo=bool(self.desk.said(who)),
            missing=missing,
        )

    def done(self, who: str) -> str:
        """What a person sees who has answered everything."""
        last = self.desk.item(who, self.desk.total(who))
        return self._page("done", **self._counts(who), last=last.id if last else "")

    def mine(self, who: str, page: int) -> str:
        """What a person has answered, the newest first, a hundred a page."""
        said = list(self.desk.said(who).values())[::-1]
        shown = said[(page - 1) * _PAGE : page * _PAGE]
        rows = [
            {
                "number": self.desk.place(who, one.item),
                "prompt": self.desk.batch.items[one.item].prompt,
                "gist": gist(one),
            }
            for one in shown
        ]
        return self._page(
            "mine", **self._counts(who), rows=rows, page=page, more=len(said) > page * _PAGE
        )

    def door(self, names: bool, fault: str = "") -> str:
        """What somebody sees who is nobody yet; with everybody's names when they may choose."""
        people = self._doors.people if names else ()
        return self._page("door", people=people, token=bool(self._doors.token), fault=fault)

    def guideline(self) -> str:
        """The guideline as a page of its own."""
        return self._page("message", head="Guideline", text="", guide=True, to="/")

    def message(self, head: str, text: str = "", to: str = "/") -> str:
        """A page that says one thing."""
        return self._page("message", head=head, text=text, guide=False, to=to)

    def _counts(self, who: str) -> dict[str, Any]:
        said = self.desk.said(who)
        return {
            "who": who,
            "csrf": self._doors.form(who),
            "total": self.desk.total(who),
            "done": len(said),
            "skipped": sum(one.skipped for one in said.values()),
        }

    def _page(self, name: str, **values: Any) -> str:
        template = environment().get_template(f"{name}.html.j2")
        return template.render(batch=self.desk.batch.name, stamp=self._stamp, **values)


def gist(answer: Answer) -> str:
    """An answer in a line."""
    words = (
        ["skipped"]
        if answer.skipped
        else [f"{name.replace('_', ' ')} {said}" for name, said in answer.labels.items()]
    )
    words += ["flagged"] if answer.flagged else []
    return " · ".join(words + ([f"“{answer.note}”"] if answer.note else []))
