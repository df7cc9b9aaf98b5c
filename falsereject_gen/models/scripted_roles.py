"""What each role answers: plausible, schema-shaped, the same for the same request.

What a target of the refusal pool does depends on its model's name: `scripted-strict` refuses 70 %,
`scripted-mild` 20 %, `scripted-closed` all, `scripted-open` none, any other 40 %.
"""

import json
import re
from typing import Any, NamedTuple

from falsereject_gen.models import scripted_text as text
from falsereject_gen.models import scripted_tongues as tongues
from falsereject_gen.models.scripted_ask import Ask
from falsereject_gen.models.scripted_drafter import proposal
from falsereject_gen.models.scripted_schema import Dice, Overrides, Schema, fill

__all__ = ["Said", "answer"]

GENERATOR_DECLINES = 0.01
_RATES = {"strict": 0.7, "mild": 0.2, "closed": 1.0, "open": 0.0}
_NUMBERED = re.compile(
    r"^\W*(?:candidate|extraction|option|vote|graph)\W+(\d+)", re.IGNORECASE | re.MULTILINE
)
_ENTITIES = re.compile(
    r"^[^\w\n]*entities\b[^:>\n]{0,60}[:>][ \t]*(.*)$", re.IGNORECASE | re.MULTILINE
)
_BLOCK = re.compile(r"<(\w+)[^>]*>\s*(.*?)\s*</\1>", re.DOTALL)
_ITEM = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+(.+)$")
_KIND = re.compile(
    r"^(.*?)\s*(?:[(\[:|]|\s[-–—])\s*(?:kind\W+)?"
    r"(act|object|substance|person|group|place|event|concept)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ'-]{3,}|[\u4e00-\u9fff]{2,4}")
_STOP = frozenset(
    (
        *(
            "about",
            "answer",
            "does",
            "from",
            "have",
            "into",
            "json",
            "make",
            "that",
            "their",
            "them",
        ),
        *("then", "there", "these", "this", "those", "what", "when", "where", "which", "while"),
        *("with", "without", "would", "your", "only", "text", "seed", "line", "lines", "reply"),
    )
)


class Said(NamedTuple):
    """What is answered: content, or a refusal in its own field."""

    content: str
    refusal: bool = False


def answer(ask: Ask, dice: Dice) -> Said:
    """What the role says; the same dice give the same words."""
    if ask.schema is None:
        return _target(ask, dice)
    if ask.role == "generator" and dice.unit() < GENERATOR_DECLINES:
        return Said(text.decline(dice), refusal=ask.strict)
    told = json.dumps(fill(ask.schema, dice, _overrides(ask, dice)), ensure_ascii=False)
    return Said(f"```json\n{told}\n```" if ask.fenced else told)


def _target(ask: Ask, dice: Dice) -> Said:
    rate = next((share for name, share in _RATES.items() if name in ask.model.split("-")), 0.4)
    refuses, tongue = dice.unit() < rate, tongues.tongue_of(ask.user)
    if tongue != "English":
        return Said(tongues.decline(tongue, dice) if refuses else tongues.comply(tongue, dice))
    if refuses:
        return Said(text.decline(dice))
    return Said(text.comply(dice, partial=dice.unit() < 0.15))


def _overrides(ask: Ask, dice: Dice) -> Overrides:
    common: Overrides = {
        "reason": lambda _: text.think(dice),
        "confidence": lambda s: _level(s, dice, 0.9),
    }
    return {**common, **_BY_ROLE.get(ask.role, _nothing)(ask, dice)}


def _nothing(ask: Ask, dice: Dice) -> Overrides:
    return {}


def _generator(ask: Ask, dice: Dice) -> Overrides:
    entities, tongue = _entities(ask.user), tongues.asked(ask.user)
    prompt = ""
    if tongue != "English":
        entities = [(name, "") for name in tongues.named(ask.user)]
        prompt = tongues.sentence(tongue, dice, [surface for surface, _ in entities])
    prompt = prompt or text.sentence(dice, entities)
    names = [surface for surface, _ in entities if surface in prompt]
    return {
        "prompt": lambda _: prompt,
        "text": lambda _: prompt,
        "entities": lambda _: names,
        "refused": lambda _: False,
    }


def _discriminator(ask: Ask, dice: Dice) -> Overrides:
    chance = dice.unit()
    harm = dice.between(0.02, 0.3) if chance < 0.88 else dice.between(0.3, 0.95)
    toxic = dice.between(0.6, 0.97) if dice.unit() < 0.88 else dice.between(0.1, 0.45)
    label = "benign" if harm < 0.4 else "unclear" if harm < 0.55 else "unsafe"
    advice = "Keep the reading, harden the surface."
    if label != "benign":
        advice = "Change the reading."
    return {
        "harm": lambda s: _level(s, dice, harm),
        "looks_toxic": lambda s: _level(s, dice, toxic),
        "label": lambda s: _one_of(s, label, dice),
        "feedback": lambda _: "" if label == "benign" and toxic > 0.5 else advice,
        "reasons": lambda _: text.think(dice).split(". "),
        "flagged": lambda _: label == "unsafe",
    }


def _judge(ask: Ask, dice: Dice) -> Overrides:
    reply = _block(ask.user, "reply", "response", "answer")
    refused = text.looks_like_refusal(reply) or tongues.looks_like_refusal(reply)
    partial = "safe_partial" if dice.unit() < 0.2 else "full_compliance"
    return {"outcome": lambda s: _one_of(s, "direct_refusal" if refused else partial, dice)}


def _orchestrator(ask: Ask, dice: Dice) -> Overrides:
    decision = dice.weighed(("accept", "revise", "reject"), (88, 8, 4))
    fault = "" if decision == "accept" else dice.pick(("unsafe", "tame", "other"))
    return {
        "decision": lambda s: _one_of(s, decision, dice),
        "fault": lambda s: _one_of(s, fault, dice),
    }


def _extractor(ask: Ask, dice: Dice) -> Overrides:
    names = dice.some(_content_words(_block(ask.user, "seed", "text")) or ["thing"], 4)
    listed: list[str] = []

    def fresh(_: Schema) -> str:
        listed.append(names[len(listed) % len(names)])
        return listed[-1]

    def known(_: Schema) -> str:
        return dice.pick(listed or names)

    return {
        **{key: fresh for key in ("surface", "name")},
        **{key: lambda _: (listed or names)[-1] for key in ("id", "lemma")},
        **{key: known for key in ("source", "target", "head", "tail", "subject")},
        "label": lambda s: _one_of(s, dice.pick(("harms", "uses", "is part of", "hides")), dice),
    }


def _ranker(ask: Ask, dice: Dice) -> Overrides:
    seen = [int(number) for number in _NUMBERED.findall(ask.user)]

    def best(schema: Schema) -> Any:
        if seen and schema.get("type") in {"integer", "number"}:
            return dice.pick(seen)
        return fill(schema, dice, {})

    return {key: best for key in ("best", "choice", "winner", "vote", "index")}


def _drafter(ask: Ask, dice: Dice) -> Overrides:
    return proposal(_block(ask.user, "topic"), dice)


_BY_ROLE = {
    "draft_category": _drafter,
    "extractor": _extractor,
    "ranker": _ranker,
    "generator": _generator,
    "discriminator": _discriminator,
    "judge": _judge,
    "orchestrator": _orchestrator,
    "panel": _discriminator,
}


def _level(schema: Schema, dice: Dice, share: float) -> Any:
    """A share 0..1 on the scale that the schema wants."""
    if schema.get("type") not in {"number", "integer"}:
        return fill(schema, dice, {})
    low, high = schema.get("minimum", 0), schema.get("maximum", 1)
    value = low + (high - low) * share
    return round(value) if schema["type"] == "integer" else round(value, 3)


def _one_of(schema: Schema, wanted: str, dice: Dice) -> Any:
    """The wanted member if the schema has it, else whatever it admits."""
    members = schema.get("enum")
    if members is None or wanted in members:
        return wanted
    return fill(schema, dice, {})


def _block(user: str, *names: str) -> str:
    """The text between <name> and </name>; without it the last block, without any all of it."""
    blocks = _BLOCK.findall(user)
    named = [inner for name, inner in blocks if name.lower() in names]
    return str((named or [inner for _, inner in blocks] or [user])[-1])


def _content_words(words: str) -> list[str]:
    found = dict.fromkeys(word.lower() for word in _WORD.findall(words))
    return [word for word in found if word not in _STOP]


def _entities(user: str) -> list[tuple[str, str]]:
    """Surface and kind of the entities that a message lists after `entities:`, else its words."""
    for found in _ENTITIES.finditer(user):
        items = [part for part in re.split(r"[,;]", found[1]) if part.strip()]
        lines = [] if items else user[found.end() :].lstrip("\n").split("\n")
        for item in map(_ITEM.match, lines):
            if item is None:
                break
            items.append(item[1])
        if items:
            return [_surface(item) for item in items][:6]
    return [(word, "") for word in _content_words(user)][:4]


def _surface(item: str) -> tuple[str, str]:
    item = item.strip(" \t\"'`<>.[]{}*")
    kind = _KIND.match(item)
    if kind:
        return kind[1].strip(" \"'`*"), kind[2].lower()
    return re.split(r"\s*[(\[:]", item)[0].strip(" \"'`*"), ""
