"""What is reported, as frozen records: the JSON of `annotate agreement` is `Agreement`, dumped.

No value is ever NaN: one that is undefined is None and names its reason (REASONS says it in words).
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from falsereject_gen.records import Record, Unit

__all__ = [
    "REASONS",
    "Agreement",
    "Bin",
    "Confusion",
    "Estimate",
    "Gold",
    "Group",
    "JudgeView",
    "Pair",
    "Person",
    "Threshold",
]

REASONS: Mapping[str, str] = {
    "no_answers": "nobody answered it",
    "one_annotator": "only one person answered it",
    "no_overlap": "no row was answered by two people",
    "one_label": "everybody gave the same answer: chance would agree as well (0/0)",
    "no_disagreement": "nobody disagreed, so resampling shows no spread",
    "no_spread": "every resample gives the same value",
    "one_item": "one row only: nothing to resample",
    "few_defined": "undefined in more than 1 of 20 resamples",
    "one_class": "people put every row on the same side",
    "no_scores": "no row has a score of the discriminator",
    "no_labels": "no row has a label that most people gave",
    "no_controls": "no controls answered",
    "no_seconds": "the tool recorded no time",
    "no_signal": "the score does not part them: the area's interval holds 0.5",
    "never_reached": "no threshold reaches it with 30 rows or more",
    "not_bounded": "all rows of the batch together reach it; none shows where it would end",
}
"""Why a value or an interval is undefined, by the name that stands in the JSON."""


class Estimate(Record):
    """A value and its bootstrap interval."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    undefined: str = Field(default="", description="Why there is no value; a key of REASONS.")
    no_interval: str = Field(default="", description="Why there is no interval; a key of REASONS.")
    undefined_resamples: int = Field(default=0, description="Resamples without a value, left out.")


class Group(Record):
    """Agreement on one question over all rows or those of one category."""

    question: str
    category: str = Field(default="", description="Category id; empty for all rows.")
    category_name: str = ""
    rows: int = Field(description="Rows that anybody answered.")
    paired: int = Field(description="Rows that two or more answered.")
    annotators: int
    labels: dict[str, int] = Field(description="Answers by label.")
    estimates: dict[str, Estimate] = Field(description="By coefficient: raw, ac1, alpha, fleiss.")


class Pair(Record):
    """Two annotators on one question."""

    question: str
    annotators: tuple[str, str]
    rows: int = Field(description="Rows that both answered.")
    raw: Unit | None = Field(description="Share on which both said the same.")
    kappa: Estimate


class Gold(Record):
    """Right answers to controls."""

    right: int
    asked: int
    low: Unit | None = Field(default=None, description="95 % interval of the share, Wilson.")
    high: Unit | None = None


class Person(Record):
    """One annotator."""

    annotator: str
    given: int = Field(description="Items in the batches, controls among them.")
    answered: int
    skipped: int
    flagged: int
    gold: Gold = Field(description="Questions about benign and toxic controls.")
    gold_by_question: dict[str, Gold]
    attention: Gold = Field(description="Attention items; right only when every question is.")
    seconds: float | None = Field(description="Median seconds an item; None: not recorded.")
    timed: int = Field(description="Answers with a time.")
    hasty: int = Field(description="Answers far quicker than everybody's.")
    slow: int = Field(description="Answers far slower than everybody's.")
    remarks: tuple[str, ...] = Field(default=(), description="What somebody should look at.")


class Confusion(Record):
    """Scores on either side of a threshold against people's labels."""

    threshold: Unit
    above_yes: int = Field(description="Score on the far side, people agree.")
    above_no: int
    below_yes: int
    below_no: int


class Bin(Record):
    """One bar of a reliability diagram."""

    low: Unit
    high: Unit
    rows: int
    score: Unit = Field(description="Mean score.")
    share: Unit = Field(description="Share of rows that people put on the side of the score.")


class Threshold(Record):
    """A threshold that the labels suggest; reported, never applied."""

    rule: Literal["youden", "precision"]
    value: Unit | None
    undefined: str = ""
    says: str = Field(description="What it would do to the rows of this batch.")


class JudgeView(Record):
    """One score of the automatic discriminator against people."""

    score: Literal["harm", "looks_toxic"]
    positive: str = Field(description="The people's answer that the score should be high for.")
    rows: int = Field(description="Rows with a score and a label that most people gave.")
    yes: int = Field(description="Rows of these that people put on the side of the score.")
    left_out: dict[str, int] = Field(description="Rows left out, by reason.")
    lowest: float | None
    highest: float | None
    confusion: Confusion | None
    auc: Estimate
    brier: float | None = Field(description="Mean squared error of the score as a probability.")
    calibration_error: float | None = Field(description="Expected calibration error, ten bins.")
    bins: tuple[Bin, ...]
    suggested: tuple[Threshold, ...]
    notes: tuple[str, ...] = ()


class Agreement(Record):
    """Everything that is known of a batch's answers."""

    format: int = 1
    batch: str
    tie_breaks: tuple[str, ...] = ()
    rows: int = Field(description="Rows in the batch, controls not counted.")
    rows_answered: int
    controls: int
    answers: int
    tie_break_answers: int = 0
    seed: int
    resamples: int
    level: float = 0.95
    groups: tuple[Group, ...]
    pairs: tuple[Pair, ...]
    people: tuple[Person, ...]
    judge: tuple[JudgeView, ...]
    notes: tuple[str, ...] = ()
