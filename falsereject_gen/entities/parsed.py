"""Names and relations from a spaCy pipeline with a parser and an entity recogniser.

Both label schemes of dependencies are read: that of the English pipelines (nsubj, dobj, prep,
pobj) and Universal Dependencies (obj, obl, case). Without a recogniser there are no names, without
a parser neighbours.py links.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from falsereject_gen.entities.spans import English, Link, Span
from falsereject_gen.records import Kind

__all__ = ["link_parsed", "named"]

_NAMES: dict[str, Kind] = {
    **{"PERSON": "person", "PER": "person", "NORP": "group", "ORG": "group"},
    **{"GPE": "place", "LOC": "place", "FAC": "place", "EVENT": "event"},
    **{"PRODUCT": "object", "WORK_OF_ART": "object", "LAW": "concept", "LANGUAGE": "concept"},
}
"""Kinds of a recogniser's labels; dates, numbers and amounts are no entities."""
_LABELS: dict[str, tuple[str, bool]] = {
    **dict.fromkeys(["nsubj", "csubj", "agent", "obl:agent"], ("does", True)),
    **dict.fromkeys(["dobj", "obj", "attr", "oprd"], ("object", False)),
    **dict.fromkeys(["nsubjpass", "nsubj:pass"], ("object", False)),
    **dict.fromkeys(["dative", "iobj"], ("to", False)),
    **dict.fromkeys(["poss", "nmod:poss"], ("of", False)),
    "conj": ("and", False),
}
"""The label of a dependency, and whether it leads from the dependent to what governs it."""
_DONE_TO = frozenset(["dobj", "obj", "attr", "oprd"])
_SUBJECT = frozenset(["nsubj", "csubj"])
_OBLIQUE = frozenset(["pobj", "pcomp", "obl", "nmod"])
_CLAUSE = frozenset(["xcomp", "advcl", "acl", "ccomp", "relcl", "acl:relcl"])
_RELATIVE = frozenset(["that", "which", "who", "whom"])
_FIXED = frozenset(["front", "behalf", "spite", "top", "order"])
"""Nouns inside a preposition: `in front of`."""


def named(doc: Any) -> dict[int, Span]:
    """The recogniser's names by their first token."""
    out = {}
    for ent in doc.ents:
        kind = _NAMES.get(ent.label_)
        name = ent.text.lower().removeprefix("the ").strip()
        if kind is not None and name:
            out[ent.start] = Span(ent.start, ent.end, name, kind, "", False)
    return out


def link_parsed(doc: Any, spans: Sequence[Span], english: English) -> list[Link]:
    """The relations of a parsed text's spans, each once, in the order of the text."""
    home = {place: span for span in spans for place in range(span.start, span.end)}
    found: dict[Link, None] = {}
    for span in spans:
        root = doc[span.start : span.end].root
        found.update(dict.fromkeys(_links(span, root, home, english)))
    return [link for link in found if link.source != link.target]


def _links(span: Span, root: Any, home: dict[int, Span], english: English) -> Iterator[Link]:
    """How a span hangs on what governs it."""
    dep = "agent" if root.head.dep_ == "agent" else root.dep_
    governor = home.get(_above(root).i) or _carried(root, home)
    if governor is None:
        return
    label = english.preposition(_prepositions(root))
    if dep in _LABELS:
        says, outward = _LABELS[dep]
        ends = (span.id, governor.id) if outward else (governor.id, span.id)
        yield Link(ends[0], says, ends[1])
    elif dep in _CLAUSE:
        yield from _clause(span, root, governor, label)
    elif dep in _OBLIQUE and label:
        yield Link(governor.id, label, span.id)


def _clause(span: Span, root: Any, governor: Span, label: str) -> Iterator[Link]:
    """An act in a clause of its own: of a thing, or of another act."""
    if not governor.verb:
        subjects = [child.lower_ for child in root.children if child.dep_ in _SUBJECT]
        done = bool(subjects) and not _RELATIVE & set(subjects)
        own = done or any(child.dep_ in ("nsubjpass", "auxpass") for child in root.children)
        yield Link(*((span.id, "object", governor.id) if own else (governor.id, "does", span.id)))
    elif label:
        yield Link(governor.id, label, span.id)
    elif any(child.lower_ == "to" and child.i < root.i for child in root.children):
        yield Link(governor.id, "to", span.id)


def _above(root: Any) -> Any:
    """The word that governs a token, over its prepositions."""
    head = root.head
    while _leads(head):
        head = head.head
    return head


def _leads(token: Any) -> bool:
    """Whether a token is (part of) a preposition that governs what stands behind it."""
    if token.dep_ == "pobj":
        return token.lower_ in _FIXED
    return token.dep_ in ("prep", "agent", "dative") and token.pos_ in ("ADP", "SCONJ", "PART")


def _prepositions(root: Any) -> list[str]:
    """The words of the preposition before a token, in their order: `in`, `front`, `of`."""
    cases = [t for t in root.children if t.dep_ in ("case", "mark") and t.pos_ in ("ADP", "SCONJ")]
    out = [part for token in cases for part in (token, *token.children)]
    head = root.head
    while root.dep_ in ("pobj", "pcomp") and _leads(head):
        out.append(head)
        head = head.head
    return [token.lower_ for token in sorted(out, key=lambda token: int(token.i))]


def _carried(root: Any, home: dict[int, Span]) -> Span | None:
    """The object of a verb that is no entity, for what hangs on that verb: `put X under Y`."""
    above = _above(root)
    if root.dep_ not in _OBLIQUE or above.pos_ not in ("VERB", "AUX"):
        return None
    objects = [child for child in above.children if child.dep_ in _DONE_TO and child.i < root.i]
    return home.get(objects[-1].i) if objects else None
