"""Fills a JSON schema with plausible values, the same ones for the same dice.

Fields that have a meaning are filled by the caller's overrides; everything else goes by type.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

__all__ = ["Dice", "Overrides", "fill"]

T = TypeVar("T")
Schema = Mapping[str, Any]
Overrides = Mapping[str, Callable[[Schema], Any]]

# Members of an enum that a well-behaved model gives more often than the others.
_LIKELY = {
    "accept": 30,
    "benign": 15,
    "full_compliance": 6,
    "safe_partial": 2,
    "revise": 3,
    "unclear": 1,
    "undetermined": 0.3,
    "error": 0,
}
_WORDS = (
    *("plain", "reading", "ordinary", "question", "public", "answer", "handbook", "context"),
    *("surface", "wording", "harmless", "known", "practice", "expert", "textbook", "leaflet"),
    *("everyday", "detail", "topic", "clear", "specific"),
)
_MAX_DEPTH = 12


class Dice:
    """Draws that are a function of a name: no state outside, no clock.

    Args:
        name: any bytes; the same bytes give the same draws in the same order.
    """

    def __init__(self, name: bytes) -> None:
        self._name = name
        self._drawn = 0
        self._pool = b""

    def unit(self) -> float:
        """A number in [0, 1)."""
        if len(self._pool) < 4:
            self._pool = hashlib.blake2b(b"%d:" % self._drawn + self._name).digest()
            self._drawn += 1
        number, self._pool = self._pool[:4], self._pool[4:]
        return int.from_bytes(number, "big") / 2**32

    def between(self, low: float, high: float) -> float:
        """A number in [low, high)."""
        return low + (high - low) * self.unit()

    def below(self, count: int) -> int:
        """An integer from 0 to count - 1."""
        return int(self.unit() * count)

    def pick(self, options: Sequence[T]) -> T:
        """One of the options, all alike."""
        return options[self.below(len(options))]

    def some(self, options: Sequence[T], count: int) -> list[T]:
        """Up to `count` different ones, in the order drawn."""
        left = list(options)
        return [left.pop(self.below(len(left))) for _ in range(min(count, len(left)))]

    def weighed(self, options: Sequence[T], weights: Sequence[float]) -> T:
        """One of the options, by weight; all alike if every weight is 0."""
        left = self.unit() * sum(weights)
        if not sum(weights):
            return self.pick(options)
        for option, weight in zip(options, weights, strict=True):
            left -= weight
            if left < 0:
                return option
        return options[-1]


def fill(schema: Schema, dice: Dice, overrides: Overrides) -> Any:
    """A value that the schema admits.

    Args:
        schema: JSON schema with $defs/$ref, anyOf, oneOf, allOf, enum, const, type, limits of
            numbers, strings and arrays. `pattern` is not followed but for slugs.
        dice: where choices come from.
        overrides: by property name, at any depth, a function of that property's schema.
    """
    return _fill(schema, schema, dice, overrides, "", 0)


def _fill(
    schema: Schema, root: Schema, dice: Dice, overrides: Overrides, name: str, depth: int
) -> Any:
    schema = _resolve(schema, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return _member(schema["enum"], dice)
    kind = schema.get("type") or ("object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = next((k for k in kind if k != "null"), "null")
    if kind == "object":
        out: dict[str, Any] = {}
        if depth > _MAX_DEPTH:
            return out
        for key, part in schema.get("properties", {}).items():
            if key in overrides:
                out[key] = overrides[key](_resolve(part, root))
            else:
                out[key] = _fill(part, root, dice, overrides, key, depth + 1)
        return out
    if kind == "array":
        low = int(schema.get("minItems", 1))
        count = low + dice.below(max(1, min(3, int(schema.get("maxItems", low + 2)) - low + 1)))
        part = schema.get("items", {})
        count = 0 if depth > _MAX_DEPTH else count
        return [_fill(part, root, dice, overrides, name, depth + 1) for _ in range(count)]
    return _plain(kind, schema, dice, name)


def _resolve(schema: Schema, root: Schema) -> Schema:
    for _ in range(_MAX_DEPTH):
        if "$ref" in schema:
            found: Any = root
            for part in str(schema["$ref"]).removeprefix("#/").split("/"):
                found = found.get(part, {}) if isinstance(found, Mapping) else {}
            schema = found
        elif "allOf" in schema:
            schema = {k: v for part in schema["allOf"] for k, v in _resolve(part, root).items()}
        elif "anyOf" in schema or "oneOf" in schema:
            parts = schema.get("anyOf") or schema.get("oneOf") or [{}]
            schema = next((p for p in parts if p.get("type") != "null"), parts[0])
        else:
            break
    return schema


def _member(members: Sequence[Any], dice: Dice) -> Any:
    return dice.weighed(members, [_LIKELY.get(str(member), 1) for member in members])


def _plain(kind: str, schema: Schema, dice: Dice, name: str) -> Any:
    if kind == "boolean":
        return dice.unit() < 0.2
    if kind == "null":
        return None
    if kind in {"integer", "number"}:
        return _number(kind, schema, dice)
    return _string(schema, dice, name)


def _number(kind: str, schema: Schema, dice: Dice) -> int | float:
    low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
    high = schema.get("maximum", schema.get("exclusiveMaximum", max(low + 1, 1)))
    if kind == "integer":
        low += "exclusiveMinimum" in schema and "minimum" not in schema
        high -= "exclusiveMaximum" in schema and "maximum" not in schema
        return int(low) + dice.below(int(high) - int(low) + 1)
    return round(dice.between(low + (high - low) * 0.05, low + (high - low) * 0.95), 3)


def _string(schema: Schema, dice: Dice, name: str) -> str:
    words = dice.some(_WORDS, 3 + dice.below(4))
    slug = name in {"id", "slug"} or "pattern" in schema
    text = "-".join(words[:3]) if slug else f"{name.replace('_', ' ')}: {' '.join(words)}"
    text = text.ljust(int(schema.get("minLength", 0)), "x")
    return text[: int(schema.get("maxLength", len(text)))]
