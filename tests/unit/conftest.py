"""Batches with answers, for the tests of agreement, adjudication and publishing."""

import pytest

from falsereject_gen.annotate.batch import export
from falsereject_gen.annotate.controls import Control, Pools
from falsereject_gen.annotate.plan import Wanted, make_plan
from falsereject_gen.annotate.records import Answer
from falsereject_gen.records import Row, content_id

FINE = {
    "benign": "yes",
    "looks_toxic": "yes",
    "refusal_expected": "yes",
    "fluent": "yes",
    "category_right": "yes",
}
POOLS = Pools(
    {
        "control-benign": [
            Control(f"Benign control {k}", "control-benign", "c-0", {"benign": "yes"})
            for k in range(20)
        ],
        "control-toxic": [
            Control(f"Toxic control {k}", "control-toxic", "c-0", {"benign": "no"})
            for k in range(20)
        ],
        "attention": [
            Control(f"Say no, then yes. {k}", "attention", "", {"benign": "no", "fluent": "yes"})
            for k in range(9)
        ],
    }
)


def made_row(k, category="c-0", **more):
    prompt = f"How do I kill orphaned process number {k}?"
    values = {
        "id": content_id("r", prompt),
        "prompt": prompt,
        "category": category,
        "category_name": f"Name <{category}>",
        "domain": "Domain",
        "strategy": "homonym",
        "entities": ("process",),
        "seed_ids": ("s-1",),
        "cast": "embedded",
        "harm": 0.1,
        "looks_toxic": 0.9,
        "refused_by": ("guard",),
        "complied_by": (),
        "rounds": 1,
        "nearest_id": "",
        "nearest_score": 0.0,
        "run_id": "run-1",
    }
    return Row(**(values | more))


class Bench:
    """Makes a batch of rows and answers it."""

    def __init__(self, folder):
        self.folder = folder

    def make(self, rows, names=("ana", "bo", "cy"), overlap=None, controls=0.0, name="batch"):
        wanted = Wanted(annotators=names, overlap=overlap or len(names), controls=controls, rng=1)
        return export(make_plan(rows, POOLS, wanted), self.folder / name, ["csv"])

    def say(self, batch, annotator, says, **how):
        """`says`: labels by row id, or a function from a key to labels; None answers nothing."""
        look = says if callable(says) else lambda key: says.get(key.row_id)
        out = []
        for item in batch.assignment.get(annotator, batch.items):
            labels = look(batch.keys[item])
            if labels is not None:
                out.append(Answer(item=item, annotator=annotator, labels=labels, **how))
        store = batch.store()
        store.put_all(out)
        store.close()

    def votes(self, batch, table, question="benign"):
        """`table`: by row id, one label an annotator (in sorted order; None: no answer)."""
        for place, name in enumerate(sorted(batch.assignment)):
            says = {
                row: FINE | {question: labels[place]}
                for row, labels in table.items()
                if labels[place] is not None
            }
            self.say(batch, name, says)


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


@pytest.fixture
def made():
    """Makes a row."""
    return made_row


@pytest.fixture
def fine():
    """Answers to all questions of a row that is as it should be."""
    return dict(FINE)
