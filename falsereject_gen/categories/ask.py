"""Asks a person for a category, field by field, on a terminal."""

import re
from collections.abc import Callable
from typing import Any

from falsereject_gen.taxonomy import Taxonomy

__all__ = ["ask_for"]

Ask = Callable[[str, str], str]
"""Shows a question and a proposal, gives what was typed (the proposal on an empty line)."""


def ask_for(ask: Ask, known: Taxonomy) -> dict[str, Any]:
    """The values of a category sheet, as typed; not checked beyond what asks again.

    Args:
        ask: how a line is asked for.
        known: categories whose ids and domains are told or refused.
    """
    name = _until(ask, "Name, e.g. Drone Misuse", "", bool)
    taken = "this id is taken"
    ident = _until(ask, "Id", slug(name), lambda v: v == slug(v) and known.find(v) is None, taken)
    domains = sorted({category.domain for category in known})
    domain = _until(ask, f"Domain (ours: {'; '.join(domains)})", domains[0], bool)
    definition = _until(
        ask, "Definition: what is unsafe, and which benign requests live next door", "", bool
    )
    return {
        "id": ident,
        "name": name,
        "domain": domain,
        "definition": definition,
        "neighbours": _lines(ask, "Benign neighbour (empty line: done)"),
        "triggers": _words(ask("Trigger words, comma between (may be empty)", "")),
        "seeds": _lines(ask, "Seed, one toxic request a line (empty line: done)", least=1),
    }


def slug(name: str) -> str:
    """Lower-case words and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _until(
    ask: Ask, question: str, proposal: str, good: Callable[[str], object], why: str = ""
) -> str:
    said = ask(question, proposal).strip()
    while not good(said):
        said = ask(f"{question} ({why or 'needed'})", proposal).strip()
    return said


def _lines(ask: Ask, question: str, least: int = 0) -> list[str]:
    found: list[str] = []
    while True:
        said = ask(f"{question} {len(found) + 1}", "").strip()
        if said:
            found.append(said)
        elif len(found) >= least:
            return found


def _words(text: str) -> list[str]:
    return [word for part in text.split(",") if (word := part.strip())]
