"""Agreement of a whole batch: reading, people, the discriminator, table, page, JSON."""

import json
from io import StringIO

import numpy as np
import pytest
from rich.console import Console
from sklearn.metrics import roc_auc_score

from falsereject_gen.annotate.agreement.estimate import stream
from falsereject_gen.annotate.agreement.gather import gather
from falsereject_gen.annotate.agreement.judge import roc_areas
from falsereject_gen.annotate.agreement.measure import measure
from falsereject_gen.annotate.agreement.page import write_agreement
from falsereject_gen.annotate.agreement.records import Agreement, Estimate
from falsereject_gen.annotate.agreement.show import show
from falsereject_gen.annotate.agreement.thresholds import suggest
from falsereject_gen.annotate.records import Answer
from falsereject_gen.errors import InputError, UsageError
from falsereject_gen.settings import load_settings

LIMITS = load_settings().loop
NO = {"yes": "no", "no": "yes"}


def measured(*batches, resamples=200):
    return measure(gather([batch.folder for batch in batches]), LIMITS, resamples=resamples)


def person(result, name):
    return next(one for one in result.people if one.annotator == name)


@pytest.fixture
def batch(bench, made, fine):
    """40 rows in 4 categories, three people; bo and cy differ from ana on the first rows."""
    rows = [made(k, f"c-{k % 4}", harm=k / 100) for k in range(40)]
    batch = bench.make(rows, controls=0.2)
    place = {row.id: k for k, row in enumerate(rows)}

    def says(wrong):
        return lambda key: (
            fine
            | key.expected
            | ({"benign": "no"} if key.row_id and place[key.row_id] < wrong else {})
        )

    for name, wrong in (("ana", 0), ("bo", 6), ("cy", 6)):
        bench.say(batch, name, says(wrong), seconds=20.0 + wrong)
    return batch


def test_controls_are_not_in_the_coefficients(batch):
    result = measured(batch)
    whole = {one.question: one for one in result.groups if not one.category}
    assert result.controls > 0
    assert whole["benign"].rows == whole["benign"].paired == 40
    assert whole["benign"].labels == {"yes": 108, "no": 12, "unclear": 0}
    assert whole["benign"].estimates["raw"].value == pytest.approx((34 + 6 / 3) / 40)
    assert whole["fluent"].estimates["alpha"].undefined == "one_label"


def test_every_category_and_pair_is_there(batch):
    result = measured(batch)
    assert len(result.groups) == 5 * (1 + 4)
    assert {one.category_name for one in result.groups if one.category == "c-1"} == {"Name <c-1>"}
    pairs = {one.annotators: one for one in result.pairs if one.question == "benign"}
    assert set(pairs) == {("ana", "bo"), ("ana", "cy"), ("bo", "cy")}
    assert pairs["bo", "cy"].kappa.value == 1.0
    assert pairs["ana", "bo"].kappa.value == 0.0
    assert pairs["ana", "bo"].raw == pytest.approx(34 / 40)


def test_same_answers_same_result_and_another_seed_another_interval(batch):
    one, same = measured(batch), measured(batch)
    assert one == same
    other = measure(gather([batch.folder]), LIMITS, seed=1, resamples=200)
    assert one.groups[0].estimates["raw"].value == other.groups[0].estimates["raw"].value
    assert one.groups[0].estimates["raw"].low != other.groups[0].estimates["raw"].low


def test_gold_attention_skips_and_flags(bench, made, fine):
    batch = bench.make([made(k) for k in range(30)], names=("ana", "bo"), controls=0.4)
    bench.say(batch, "ana", lambda key: fine | key.expected)

    def careless(key):
        return None if key.row_id else fine

    bench.say(batch, "bo", careless, flagged=True)
    store = batch.store()
    row = next(i for i, key in batch.keys.items() if key.row_id)
    store.put(Answer(item=row, annotator="bo", labels={}, skipped=True))
    store.close()
    kinds = [key.kind for key in batch.keys.values()]
    toxic, benign = kinds.count("control-toxic"), kinds.count("control-benign")
    result = measured(batch)
    ana, bo = person(result, "ana"), person(result, "bo")
    assert (ana.gold.right, ana.gold.asked) == (toxic + benign, toxic + benign)
    assert (bo.gold.right, bo.gold.asked) == (benign, toxic + benign)
    assert bo.gold.low < benign / (toxic + benign) < bo.gold.high
    assert (bo.attention.right, bo.attention.asked) == (0, kinds.count("attention"))
    assert (bo.skipped, bo.flagged, bo.seconds) == (1, toxic + benign + bo.attention.asked, None)
    assert ana.remarks == ()
    assert any("attention" in line for line in bo.remarks)
    assert any("right on controls" in line for line in bo.remarks)


def test_speed_outliers(bench, made, fine):
    batch = bench.make([made(k) for k in range(30)])
    dice = np.random.default_rng(0)
    store = batch.store()
    for name, middle in (("ana", 20), ("bo", 22), ("cy", 4)):
        for k, item in enumerate(batch.assignment[name]):
            seconds = 0.2 if name == "bo" and k < 5 else float(middle * dice.uniform(0.8, 1.25))
            store.put(Answer(item=item, annotator=name, labels=fine, seconds=seconds))
    store.close()
    result = measured(batch)
    assert any("suspiciously quick" in line for line in person(result, "cy").remarks)
    assert person(result, "bo").hasty == 5
    assert any("5 of 30" in line for line in person(result, "bo").remarks)
    assert person(result, "ana").remarks == ()


def test_the_discriminator_against_people(bench, made, fine):
    harms = [k / 40 for k in range(40)]
    rows = [made(k, harm=harm) for k, harm in enumerate(harms)]
    batch = bench.make(rows, controls=0.2)
    bad = {row.id for row in rows if row.harm > 0.6} | {rows[2].id}

    def says(key):
        if key.row_id == rows[0].id:
            return fine | {"benign": "unclear"}
        return fine | {"benign": "no" if key.row_id in bad else "yes"}

    for name in batch.assignment:
        bench.say(batch, name, says)
    harm, look = measured(batch).judge
    labels = [row.id in bad for row in rows[1:]]
    assert (harm.rows, harm.yes, harm.left_out) == (39, sum(labels), {"unclear to most": 1})
    assert harm.auc.value == pytest.approx(roc_auc_score(labels, harms[1:]))
    assert harm.auc.low < harm.auc.value < harm.auc.high
    far = [h >= LIMITS.harm_max for h in harms[1:]]
    assert harm.confusion.above_yes == sum(a and b for a, b in zip(far, labels, strict=True))
    assert harm.confusion.below_yes == 1
    assert harm.brier == pytest.approx(
        np.mean((np.array(harms[1:]) - np.array(labels, dtype=float)) ** 2)
    )
    youden = harm.suggested[0]
    assert youden.value == pytest.approx(0.625)
    assert (look.auc.undefined, look.suggested[0].undefined) == ("one_class", "one_class")
    assert any("chosen by it" in note for note in look.notes)


def test_tie_breaks_count_for_labels_and_people_and_not_for_coefficients(bench, made, fine):
    rows = [made(k, harm=0.9 if k < 2 else 0.1) for k in range(6)]
    batch = bench.make(rows, names=("ana", "bo"))
    votes = {row.id: ["yes", "no" if k < 2 else "yes"] for k, row in enumerate(rows)}
    bench.votes(batch, votes)
    alone = measured(batch)
    assert alone.judge[0].rows == 4
    assert alone.judge[0].left_out == {"no majority of two or more": 2}
    tie = bench.make(rows[:2], names=("cy",), name="tie")
    bench.say(tie, "cy", lambda key: fine | {"benign": "no"})
    both = measured(batch, tie)
    assert both.groups == alone.groups
    assert both.pairs == alone.pairs
    assert (both.judge[0].rows, both.judge[0].yes, both.judge[0].auc.value) == (6, 2, 1.0)
    assert person(both, "cy").answered == both.tie_break_answers == 2
    assert any("over the first batch" in note for note in both.notes)


def test_resampled_areas_are_scikit_learns():
    dice = np.random.default_rng(0)
    score = np.round(dice.random(60), 1)  # ties
    yes = dice.random(60) < score
    again = stream(5)
    for value in roc_areas(score, yes, 30, stream(5)):
        rows = np.argsort(score, kind="stable")[again.integers(60, size=60)]
        assert value == pytest.approx(roc_auc_score(yes[rows], score[rows]))


def test_a_threshold_is_suggested_only_where_rows_show_one():
    score = np.linspace(0, 0.99, 100)
    sure = Estimate(value=0.9, low=0.8, high=1.0)
    yes = score > 0.8
    harm = {one.rule: one for one in suggest("harm", score, yes, sure)}
    accepted = score < harm["precision"].value
    assert (~yes[accepted]).mean() >= 0.95
    assert accepted.sum() == int(0.81 * 100 / 0.95)
    look = {one.rule: one for one in suggest("looks_toxic", score, yes, sure)}
    assert look["precision"].undefined == "never_reached"  # only 19 rows are toxic-looking
    assert suggest("harm", score, score > 0.97, sure)[1].undefined == "not_bounded"
    blind = Estimate(value=0.55, low=0.4, high=0.7)
    assert suggest("harm", score, yes, blind)[0].undefined == "no_signal"


def test_one_annotator_is_undefined_and_says_so(bench, made, fine):
    batch = bench.make([made(k) for k in range(5)], names=("ana", "bo"))
    bench.say(batch, "ana", lambda key: fine)
    result = measured(batch)
    assert {one.undefined for g in result.groups for one in g.estimates.values()} == {
        "one_annotator"
    }
    assert result.pairs == ()
    assert any("needs two" in note for note in result.notes)
    assert any("nothing on rows yet from bo" in note for note in result.notes)


def test_a_stranger_is_counted_and_named(bench, made, fine):
    batch = bench.make([made(k) for k in range(5)], names=("ana", "bo"))
    bench.say(batch, "ana", lambda key: fine)
    bench.say(batch, "eve", lambda key: fine)
    result = measured(batch)
    assert {one.annotators for one in result.pairs} == {("ana", "eve")}
    assert any("eve answered batch without being asked" in note for note in result.notes)


def test_bad_input_is_one_line(bench, made, fine, tmp_path):
    with pytest.raises(InputError, match="no annotation batch"):
        gather([tmp_path])
    batch = bench.make([made(k) for k in range(5)])
    with pytest.raises(InputError, match="nobody has answered it yet"):
        gather([batch.folder])
    bench.say(batch, "ana", lambda key: fine)
    with pytest.raises(UsageError, match="named twice"):
        gather([batch.folder, batch.folder])
    other = bench.make([made(k) for k in range(50, 55)], name="other")
    bench.say(other, "ana", lambda key: fine)
    with pytest.raises(InputError, match=r"foreign batch: 5 rows"):
        gather([batch.folder, other.folder])
    again = bench.make([made(k) for k in range(5)], name="again")
    bench.say(again, "ana", lambda key: fine)
    with pytest.raises(InputError, match=r"ana answered .* in an earlier batch"):
        gather([batch.folder, again.folder])
    store = other.store()
    store.put(Answer(item="i-nowhere", annotator="ana", labels=fine))
    store.close()
    with pytest.raises(InputError, match="ana on i-nowhere: no such item"):
        gather([other.folder])


def test_json_holds_everything_and_the_page_escapes(bench, made, fine):
    rows = [made(k, category_name="<script>alert(1)</script>") for k in range(12)]
    batch = bench.make(rows)
    for name in batch.assignment:
        bench.say(batch, name, lambda key: fine)
    result = measured(batch)
    html, data = write_agreement(result, batch.folder / "agreement")
    assert Agreement.model_validate(json.loads(data.read_text(encoding="utf-8"))) == result
    assert "NaN" not in data.read_text(encoding="utf-8")
    page = html.read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "everybody gave the same answer" in page
    assert "http" not in page.replace("http-equiv", "")


def test_the_terminal_gets_reasons_in_80_columns(batch):
    out = StringIO()
    show(measured(batch), Console(file=out, width=80))
    text = out.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    for word in ("benign", "looks_toxic", "AC1", "0/0", "Annotators"):
        assert word in text
    assert "…" not in text
