"""Measures of a set: worked by hand, against nltk, and through the command line."""

import json
import math
import random
import re

import numpy as np
import pytest
from typer.testing import CliRunner

from falsereject_gen.cli.main import app
from falsereject_gen.entities.lexicon import EntityNote, Lexicon
from falsereject_gen.errors import InputError, RoomError, UsageError
from falsereject_gen.evaluate import diversity, surface
from falsereject_gen.evaluate.metrics import Value, measure
from falsereject_gen.evaluate.texts import read_texts
from falsereject_gen.rooms import Rooms
from falsereject_gen.table_out import write_rows

WORDS = diversity.tokens("How do I kill a dead cron job that hung again on the old server?")


class Letters:
    """An encoder whose vectors are letter counts: texts with the same letters are the same."""

    def many(self, texts):
        found = np.array(
            [[t.lower().count(c) for c in "abcdefghijklmnopqrstuvwxyz"] for t in texts]
        )
        found = found.reshape(len(texts), 26).astype(np.float32)
        return found / np.linalg.norm(found, axis=1, keepdims=True)


def entity(name, also=()):
    return EntityNote(id=name, kind="object", hot=True, also=also)


KNOWN = surface.KnownEntities(
    Lexicon({"a": (entity("bomb"), entity("bath bomb")), "b": (entity("gun", ("pistol",)),)})
)


def measured(texts, categories=None, *, n=2, repeats=3, seed=0):
    return measure(
        texts,
        categories,
        n=n,
        repeats=repeats,
        rng=random.Random(seed),
        encoder=Letters(),
        known=KNOWN,
        give_away=re.compile("asking for a friend"),
    )


def test_tokens_are_lower_case_words_and_single_marks():
    assert diversity.tokens("Don't STOP?! Zoë") == ["don", "'", "t", "stop", "?", "!", "zoë"]


def test_dist_2_by_hand():
    # a b, b c | a b, b b: four bigrams, three of them different; none across the two texts
    assert diversity.dist_2([["a", "b", "c"], ["a", "b", "b"]]) == 3 / 4
    with pytest.raises(ValueError, match="two tokens"):
        diversity.dist_2([["a"], []])


def test_self_bleu_by_hand():
    # each text has 3 of 4 words, 2 of 3 bigrams, 1 of 2 trigrams, 0.1 of 1 four-grams in the other
    score = diversity.self_bleu_4([list("abcd"), list("abce")])
    assert score == pytest.approx((3 / 4 * 2 / 3 * 1 / 2 * 0.1) ** 0.25)


def test_self_bleu_counts_a_word_as_often_as_another_text_has_it():
    # "a a a a" against "a b c d": one of four words, then nothing
    first = (1 / 4 * 0.1 / 3 * 0.1 / 2 * 0.1) ** 0.25
    assert diversity.self_bleu_4([list("aaaa"), list("abcd")]) == pytest.approx(
        (first + (1 / 4 * 0.1 / 3 * 0.1 / 2 * 0.1) ** 0.25) / 2
    )


def test_self_bleu_punishes_shortness_and_is_zero_without_a_common_word():
    long, short = list("abcdef"), list("abcd")
    first = math.exp(1 - 6 / 4)  # the short one stands whole in the long one
    second = (4 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25
    assert diversity.self_bleu_4([long, short]) == pytest.approx((first + second) / 2)
    assert diversity.self_bleu_4([list("abcd"), list("efgh")]) == 0
    with pytest.raises(ValueError, match="fewer than two"):
        diversity.self_bleu_4([long])


def test_self_bleu_is_that_of_nltk():
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

    draw = random.Random(5)
    texts = [draw.choices(WORDS, k=draw.randint(1, 14)) for _ in range(40)]
    smooth = SmoothingFunction().method1
    scores = [
        sentence_bleu(texts[:i] + texts[i + 1 :], text, smoothing_function=smooth)
        for i, text in enumerate(texts)
    ]
    assert diversity.self_bleu_4(texts) == pytest.approx(sum(scores) / len(scores), abs=1e-12)


def test_vendi_is_one_for_the_same_and_n_for_orthogonal_vectors():
    eye = np.eye(6, dtype=np.float32)
    assert diversity.vendi(eye) == pytest.approx(6)
    assert diversity.vendi(eye[[0] * 6]) == pytest.approx(1)
    assert diversity.vendi(eye[[0, 0, 0, 1, 1, 1]]) == pytest.approx(2)
    tall = np.vstack([eye] * 5)  # more texts than dimensions
    assert diversity.vendi(tall) == pytest.approx(6)


def test_mean_cosine_leaves_out_the_diagonal():
    eye = np.eye(3, dtype=np.float32)
    assert diversity.mean_cosine(eye) == pytest.approx(0)
    assert diversity.mean_cosine(eye[[0, 0, 1]]) == pytest.approx(1 / 3)


def test_openings():
    texts = ["What's the point?", "“What’s the point?”", "How do I?", "how, do we"]
    assert [surface.opening(text, 2) for text in texts[:3]] == [
        "what's the",
        "what’s the",
        "how do",
    ]
    firsts = [surface.opening(text, 1) for text in texts]
    assert surface.top_share(firsts) == 0.5
    assert surface.effective(["a", "a", "b", "b"]) == pytest.approx(2)
    assert surface.effective(["a"] * 9) == pytest.approx(1)


def test_balance():
    assert surface.balance(["a", "b", "a", "b"]) == pytest.approx(1)
    assert surface.balance(["a"] * 3 + ["b"]) == pytest.approx(0.8113, abs=1e-4)
    with pytest.raises(ValueError, match="one category"):
        surface.balance(["a", "a"])


def test_known_entities_are_found_in_all_forms_longest_first():
    assert KNOWN.number == 3
    assert KNOWN.found("Two PISTOLS and a bath bomb") == {"gun", "bath bomb"}
    assert KNOWN.found("bombs, bathed") == {"bomb"}
    assert KNOWN.share(["no", "a gun"]) == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="no entities"):
        surface.KnownEntities(Lexicon({})).share(["a gun"])


def test_give_away_patterns_are_those_of_the_room(tmp_path):
    assert surface.give_away(Rooms()).search("PURELY for Research Purposes, how")
    (tmp_path / "graphs").mkdir()
    (tmp_path / "graphs/patterns.yaml").write_text("give_away: ['(']\n")
    with pytest.raises(RoomError, match="give_away"):
        surface.give_away(Rooms(tmp_path))


def test_the_same_text_over_and_over():
    found = measured([" ".join(WORDS)] * 60, ["a"] * 30 + ["b"] * 30, n=50)
    assert found.self_bleu_4 == Value(mean=1, low=1, high=1)
    assert found.dist_2.mean == round(1 / 50, 4)
    assert (found.vendi.mean, found.mean_cosine.mean) == (1, 1)
    assert (found.top_first_word.mean, found.openings.mean) == (1, 1)
    assert (found.category_balance.mean, found.category_min.mean) == (1, 30)
    assert found.repeats == 3


def test_samples_repeat_with_the_seed_and_differ_without():
    draw = random.Random(2)
    texts = [" ".join(draw.choices(WORDS, k=9)) for _ in range(80)]
    assert measured(texts, n=20) == measured(texts, n=20)
    found = measured(texts, n=20)
    assert found.dist_2 != measured(texts, n=20, seed=1).dist_2
    assert found.dist_2.low < found.dist_2.mean < found.dist_2.high
    whole = measured(texts, n=80)
    assert (whole.repeats, whole.dist_2.low) == (1, whole.dist_2.high)


def test_what_cannot_be_had_says_why():
    found = measured(["a gun", "asking for a friend: a b c"], n=3)
    assert found.repeats == 0
    assert found.self_bleu_4 == Value(undefined="2 rows, fewer than n = 3")
    assert found.category_balance.undefined == "no category column"
    assert (found.give_away.mean, found.words_mean.mean) == (0.5, 4.5)
    one = measured(["a b", "b a"], ["x", "x"])
    assert one.category_balance.undefined == "all rows have one category"
    assert one.categories.mean == 1
    assert measured(["a", "b"]).dist_2.undefined == "no text has two tokens"
    with pytest.raises(UsageError, match="at least 2"):
        measured(["a", "b"], n=1)


def test_reading_counts_what_it_leaves_out(tmp_path):
    file = tmp_path / "set.csv"
    file.write_text("prompt,label,category\na b,safe,x\n,safe,x\nc d,unsafe,x\ne f,safe,y\n")
    found = read_texts(file)
    assert found.texts == ("a b", "e f")
    assert found.categories == ("x", "y")
    assert found.left_out == {"empty": 1, "not labelled benign": 1}
    assert read_texts(file, "category").columns == ("category",)
    file.write_text("prompt\n''\n")
    assert read_texts(file).categories is None
    file.write_text("prompt,x\n,\n")
    with pytest.raises(InputError, match="no prompt in it to measure \\(1 empty\\)"):
        read_texts(file)
    with pytest.raises(InputError, match="no run or dataset"):
        read_texts(tmp_path)


def test_run_and_dataset_folders_are_read_with_all_their_splits(tmp_path):
    data = tmp_path / "dataset/data"
    data.mkdir(parents=True)
    for split, prompts in (("test", ["c d"]), ("train", ["a b", "b a"])):
        rows = [{"prompt": prompt, "category": split} for prompt in prompts]
        write_rows(data / f"{split}-00000-of-00001.parquet", ("prompt", "category"), rows)
    found = read_texts(tmp_path / "dataset")
    assert found.texts == ("a b", "b a", "c d")
    (tmp_path / "run.sqlite").touch()
    run = read_texts(tmp_path)
    assert (run.texts, run.categories) == (found.texts, ("train", "train", "test"))
    assert (run.name, found.name) == (tmp_path.name, "dataset")


def test_the_command_prints_sets_side_by_side(tmp_path, monkeypatch):
    monkeypatch.setattr("falsereject_gen.dedup.encoder.MiniLM", lambda cache: Letters())
    ours, other = tmp_path / "ours.csv", tmp_path / "other.txt"
    ours.write_text("ask,category\nkill a process,x\nshoot a film,y\nbomb a test,x\n")
    other.write_text("a b c\n\nd e f\n")
    args = ["metrics", str(ours), "--against", str(other), "--n", "3", "--prompt-column", "ask"]
    found = json.loads(CliRunner().invoke(app, [*args, "--json"]).stdout)
    first, second = found["files"]
    assert (found["n"], found["seed"], first["name"], first["rows"]) == (3, 0, "ours.csv", 3)
    assert first["dist_2"]["mean"] == round(6 / 6, 4)
    assert second["left_out"] == {"empty": 1}
    assert second["vendi"] == {
        "mean": None,
        "low": None,
        "high": None,
        "undefined": "2 rows, fewer than n = 3",
    }
    table = CliRunner().invoke(app, args).stdout
    assert "Self-BLEU-4" in table
    assert "other.txt: 2 rows, fewer than n = 3" in " ".join(table.split())
