"""From a reading to a sentence: inflection, and no reading that comes out broken."""

import random
import re
from itertools import islice

import pytest

from falsereject_gen.entities.english import article, forms, gerund, plural, sentence_case
from falsereject_gen.errors import RoomError
from falsereject_gen.roles.embedded.grammar import (
    MAX_WORDS,
    MIN_WORDS,
    Grammar,
    Shape,
    load_grammar,
)
from falsereject_gen.roles.embedded.knowledge import Reading
from falsereject_gen.rooms import Rooms

RENDERED = 3


@pytest.fixture(scope="module")
def grammar(rooms):
    return load_grammar(rooms)


def reading(**rest):
    return Reading(id="x", strategy="homonym", entities=("kill",), answer="a", **{"do": (), **rest})


@pytest.mark.parametrize(
    ("phrase", "said"),
    [
        ("hour", "an hour"),
        ("European", "a European"),
        ("knife", "a knife"),
        ("axe", "an axe"),
        ("unicorn", "a unicorn"),
        ("FBI agent", "an FBI agent"),
    ],
)
def test_articles(phrase, said):
    assert article(phrase) == said


@pytest.mark.parametrize(
    ("phrase", "said"),
    [
        ("kill a process", "killing a process"),
        ("stab", "stabbing"),
        ("lie to a king", "lying to a king"),
        ("make a bomb", "making a bomb"),
        ("die on stage", "dying on stage"),
        ("panic", "panicking"),
        ("dox", "doxing"),
    ],
)
def test_gerunds(phrase, said):
    assert gerund(phrase) == said


@pytest.mark.parametrize(
    ("phrase", "said"),
    [("dead cron job", "dead cron jobs"), ("knife", "knives"), ("scissors", "scissors")],
)
def test_plurals(phrase, said):
    assert plural(phrase) == said


def test_forms():
    assert {"kill", "kills", "killed", "killing"} <= forms("Kill")
    assert {"beat up", "beats up", "beating up"} <= forms("beat up")
    assert sentence_case("éclair. two") == "Éclair. two"


def test_a_sentence_is_put_together(grammar):
    one = reading(
        do=("kill {a:thing} and {the:thing}",),
        slots={"thing": ("hour",)},
        who=("cooks",),
        tail=("before the king arrives",),
        scene=("it is late.",),
    )
    frame = "Do {who} like {doing}[ {tail}]?"
    say = Grammar({"do": [frame], "wh": []}).say
    rng = random.Random(0)
    bare = say(one, Shape(frame, one.do[0]), rng)
    assert bare == "Do cooks like killing an hour and the hour?"
    whole = say(one, Shape(frame, one.do[0], scene=True, tail=True), rng)
    assert whole == (
        "It is late. Do cooks like killing an hour and the hour before the king arrives?"
    )


def test_too_short_and_too_long_are_not_said(grammar):
    rng = random.Random(0)
    for words, said in ((MIN_WORDS - 1, False), (MIN_WORDS, True)):
        text = " ".join(["word"] * words)
        assert bool(grammar.say(reading(ask=(text,)), Shape(text), rng)) is said
    for words, said in ((MAX_WORDS, True), (MAX_WORDS + 1, False)):
        text = " ".join(["word"] * words)
        assert bool(grammar.say(reading(ask=(text,)), Shape(text), rng)) is said


def test_shapes_are_all_there_once(grammar):
    one = reading(do=("kill a process",), who=("cooks",), ask=("Why?", "How?"))
    shapes = list(grammar.shapes(one, random.Random(0)))
    assert len(set(shapes)) == len(shapes)
    assert {s.template for s in shapes} == {*grammar.frames["do"], "Why?", "How?"}
    again = list(grammar.shapes(one, random.Random(1)))
    assert set(again) == set(shapes)
    assert again != shapes


def test_frames_that_need_somebody_wait_for_one(grammar):
    shapes = list(grammar.shapes(reading(do=("kill a process",)), random.Random(0)))
    assert shapes
    assert all("{who}" not in shape.template for shape in shapes)


def faults_of(text):
    words = len(text.split())
    checks = {
        "a slot left open": re.search(r"[{}\[\]]", text),
        "no capital": not re.match(r"[“\"'‘]?[A-Z0-9]", text),
        "no end": not re.search(r"[.?!][”\"'’)]?$", text),
        "spaces": "  " in text or text != text.strip() or re.search(r" [,.?!]", text),
        "length": not MIN_WORDS <= words <= MAX_WORDS,
        "a word twice": re.search(r"\b(a|an|the|to|of|in|is|and) \1\b", text, re.IGNORECASE),
        "article": re.search(r"\ba (?=[aeio][a-z])(?!one|once|eu)", text),
    }
    return [name for name, fault in checks.items() if fault]


def test_every_reading_can_be_said_properly(grammar, knowledge):
    faults, mute = [], []
    for category, readings in sorted(knowledge.by_category.items()):
        for one in readings:
            rng = random.Random(f"{category}/{one.id}")
            shapes = islice(grammar.shapes(one, rng), 12)
            texts = [text for shape in shapes if (text := grammar.say(one, shape, rng))]
            if len(texts) < RENDERED:
                mute.append(f"{category}/{one.id}: {len(texts)} of 12")
            for text in texts[:RENDERED]:
                faults += [f"{category}/{one.id}: {fault}: {text}" for fault in faults_of(text)]
    assert mute == []
    assert faults == []


def test_every_request_of_a_readings_own_can_be_said(grammar, knowledge):
    """All of them, with their slots filled in: they are three out of four rows."""
    faults = []
    for category, readings in sorted(knowledge.by_category.items()):
        for one in readings:
            for request in one.ask:
                rng = random.Random(request)
                text = grammar.say(one, Shape(request), rng)
                found = ["too short or too long"] if text is None else faults_of(text)
                faults += [f"{category}/{one.id}: {fault}: {text or request}" for fault in found]
    assert faults == []


def test_every_slot_is_filled_and_used(knowledge):
    wrong = []
    for category, readings in sorted(knowledge.by_category.items()):
        for one in readings:
            texts = " ".join((*one.do, *one.wh, *one.ask, *one.tail, *one.scene, *one.who))
            used = set(re.findall(r"\{(?:\w+:)?(\w+)\}", texts))
            wrong += [f"{category}/{one.id}: {{{n}}}" for n in sorted(used ^ set(one.slots))]
    assert wrong == []


def test_no_article_stands_before_a_slot_that_needs_another(knowledge):
    """`a {plant}` with an orchid among the plants is written `{a:plant}`."""
    wrong = []
    for category, readings in sorted(knowledge.by_category.items()):
        for one in readings:
            for text in (*one.do, *one.wh, *one.ask, *one.tail, *one.scene, *one.who):
                for said, name in re.findall(r"\b(an?) \{(\w+)\}", text, re.IGNORECASE):
                    due = {article(value).split()[0] for value in one.slots[name]}
                    if due != {said.lower()}:
                        wrong.append(f"{category}/{one.id}: {text}")
    assert wrong == []


def test_a_frame_without_its_constituent_is_refused(tmp_path):
    (tmp_path / "graphs").mkdir()
    text = 'do: ["How do I?"]\nwh: ["Say {wh}."]\n'
    (tmp_path / "graphs" / "grammar.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RoomError, match=r"grammar\.yaml: `do` frame without it: 'How do I\?'"):
        load_grammar(Rooms(tmp_path))
