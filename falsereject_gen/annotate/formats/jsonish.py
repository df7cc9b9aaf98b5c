"""What the JSON formats share: parsing, faults as one line, and labels such as `benign: yes`."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from falsereject_gen.errors import InputError

__all__ = ["decode", "first_line", "label", "lines", "one_line", "parse", "spread"]


def decode(data: bytes) -> str:
    """UTF-8 text, with or without a byte order mark.

    Raises:
        InputError: other bytes.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise InputError(f"not UTF-8 text: {fault.reason} at byte {fault.start:,}") from None


def parse(data: bytes) -> Any:
    """A JSON value.

    Raises:
        InputError: no JSON.
    """
    try:
        return json.loads(decode(data))
    except ValueError as fault:
        raise InputError(f"not valid JSON: {fault}") from None
    except RecursionError:
        raise InputError("not usable JSON: nested too deeply") from None


def first_line(data: bytes) -> Any:
    """The value on the first line that is not blank; None when it is no JSON."""
    for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        if line.strip():
            try:
                return json.loads(line)
            except (ValueError, RecursionError):
                return None
    return None


def lines(data: bytes) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """The object of each line with its place, None where the line holds none; blank ones skipped.

    Raises:
        InputError: the bytes are no text.
    """
    for number, line in enumerate(decode(data).split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        yield f"line {number}", value if isinstance(value, dict) else None


def one_line(value: Any) -> bytes:
    """A value as one line of JSON Lines."""
    return (json.dumps(value, ensure_ascii=False) + "\n").encode()


def label(question: str, answer: str) -> str:
    """A question's answer as one label, for tools that know labels only."""
    return f"{question}: {answer}"


def spread(labels: Iterable[Any]) -> dict[str, str | list[str]]:
    """Labels back into answers by question; a label that is none of ours is a name of its own."""
    out: dict[str, str | list[str]] = {}
    for one in labels:
        name, _, answer = (part.strip() for part in str(one).partition(":"))
        before = out.get(name)
        if before is None:
            out[name] = answer
        elif answer not in (before if isinstance(before, list) else [before]):
            out[name] = [*(before if isinstance(before, list) else [before]), answer]
    return out
