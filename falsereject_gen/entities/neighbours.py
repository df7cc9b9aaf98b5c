"""Relations without a parse: who does what to what, where and with what, from left to right.

A thing belongs to the verb of its clause: before it as the one who `does`, behind it as its
`object`, or by the preposition that stands between. `of` and its like hang on the thing before.
Labels: `does`, `object`, `and`, `to`, `of`, a preposition; `with` where nothing else links an
entity, so that nothing in a clause stands alone.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from falsereject_gen.entities.spans import English, Link, Span

__all__ = ["link_neighbours"]

_ENDS = frozenset(".?!;:")
_OWNS = frozenset(["'s", "’s", "'", "’"])
_OPENS = frozenset(["that", "which", "who", "how", "why", "whether", "if"])
_LEADS_NOT = _OPENS | frozenset(["while", "because", "so", "although", "since", "when", "as"])
_PREPOSITIONS = frozenset(["to", "than", "as", "because", "in", "out"])
_BE = frozenset(["be", "is", "are", "was", "were", "been", "being", "get", "gets", "got"])


def link_neighbours(doc: Any, spans: Sequence[Span], english: English) -> list[Link]:
    """The relations of a tagged text's spans, each once, in the order of the text."""
    found: dict[Link, None] = {}
    for clause in _clauses(doc, spans):
        found.update(dict.fromkeys(_Clause(doc, english).links(clause)))
    return [link for link in found if link.source != link.target]


def _clauses(doc: Any, spans: Sequence[Span]) -> Iterator[list[Span]]:
    clause: list[Span] = []
    for span in spans:
        if clause and any(t.text in _ENDS for t in doc[clause[-1].end : span.start]):
            yield clause
            clause = []
        clause.append(span)
    yield clause


class _Clause:
    """Reads one clause: its latest verb, its latest thing, and the links so far."""

    def __init__(self, doc: Any, english: English) -> None:
        self._doc, self._english = doc, english
        self._verb: Span | None = None
        self._last: Span | None = None
        self._thing: Span | None = None

    def links(self, clause: Sequence[Span]) -> Iterator[Link]:
        """The links of a clause's spans."""
        owner: tuple[Span, list[Any]] | None = None  # whose thing comes next, and what led to it
        linked: set[str] = set()
        for span in clause:
            before = owner[0].end if owner else self._last.end if self._last else span.start
            between = list(self._doc[before : span.start])
            found = [Link(span.id, "of", owner[0].id)] if owner else []
            between, owner = (owner[1], None) if owner else (between, None)
            if self._owns(span):
                owner = span, between
                yield from found
                continue
            found += self._act(span, between) if span.verb else self._what(span, between)
            if not found and self._last is not None and self._last.id not in linked:
                found = [Link(self._last.id, "with", span.id)]
            linked |= {end for link in found for end in (link.source, link.target)}
            yield from found
            self._go(span)

    def _owns(self, span: Span) -> bool:
        after = self._doc[span.end : span.end + 1]
        return not span.verb and bool(len(after)) and after[0].lower_ in _OWNS

    def _go(self, span: Span) -> None:
        self._last = span
        if span.verb:
            self._verb, self._thing = span, None
        else:
            self._thing = span

    def _act(self, span: Span, between: list[Any]) -> Iterator[Link]:
        """How an act hangs on what stands before it."""
        words = [t.lower_ for t in between]
        verb, thing, last = self._verb, self._thing, self._last
        leads = [t.lower_ for t in between if t.pos_ == "ADP" and t.lower_ not in _LEADS_NOT]
        if last is None:
            return
        if _BE & set(words) and not leads and thing is not None:
            yield Link(span.id, "object", thing.id)
        elif words[-1:] == ["to"]:
            if verb is not None and not (thing is last and _human(thing)):
                yield Link(verb.id, "to", span.id)
            elif thing is not None and thing is last and verb is not None:
                yield Link(thing.id, "does", span.id)
        elif any(t.pos_ == "CCONJ" for t in between):
            if verb is not None:
                yield Link(verb.id, "and", span.id)
        elif leads:
            yield Link((verb or last).id, self._english.preposition(leads), span.id)
        elif thing is not None and thing is last and "," not in words:
            yield Link(thing.id, "does", span.id)

    def _what(self, span: Span, between: list[Any]) -> Iterator[Link]:
        """How a thing hangs on what stands before it."""
        verb, last = self._verb, self._last
        if last is None:
            return
        label = self._label(between)
        if label:
            near = label in self._english.nearer or verb is None
            yield Link((last if near else verb).id, label, span.id)  # type: ignore[union-attr]
        elif _opens(between):
            return
        elif any(t.pos_ == "CCONJ" for t in between) and not last.verb:
            yield Link(last.id, "and", span.id)
        elif last.verb:
            yield Link(last.id, "object", span.id)

    def _label(self, between: list[Any]) -> str:
        """The preposition right before a thing, but for its determiners and adjectives."""
        words: list[str] = []
        for token in between:
            inside = bool(words) and token.pos_ in ("NOUN", "ADV", "SCONJ")  # in `front` of
            if token.pos_ == "ADP" or inside or token.lower_ in _PREPOSITIONS:
                words.append(token.lower_)
            elif token.pos_ in ("VERB", "AUX", "CCONJ") or token.text == ",":
                words = []
        words = words if words and not _opens(between) else []
        return self._english.preposition(words) if words else ""


def _human(span: Span) -> bool:
    return span.kind in ("person", "group")


def _opens(between: list[Any]) -> bool:
    """Whether a clause of its own begins: `that`, `which`, `so that`, `how`."""
    return any(t.lower_ in _OPENS for t in between)
