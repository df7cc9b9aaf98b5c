"""The human-verified split: which row goes where, that it loads, and what is never in it."""

import json

import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner

from falsereject_gen.annotate.adjudicate import adjudicate
from falsereject_gen.annotate.agreement.gather import gather
from falsereject_gen.annotate.records import Answer
from falsereject_gen.cli import annotate_agreement, annotate_publish
from falsereject_gen.dataset.columns import COLUMNS
from falsereject_gen.dataset.splits import encode
from falsereject_gen.errors import InputError
from falsereject_gen.publish import publish
from falsereject_gen.settings import load_settings

LIMITS = load_settings().loop
VOTES = [
    ("default", ["yes", "yes", "yes"]),
    ("default", ["yes", "yes", "no"]),
    ("unsafe", ["no", "no", "yes"]),
    ("", ["unclear", "unclear", "yes"]),
    ("", ["yes", "no", None]),
    ("", [None, None, None]),
]


class Made:
    """A run folder with an adjudicated batch of six rows in it."""

    def __init__(self, bench, made, tmp_path):
        self.run, self.out = tmp_path / "run", tmp_path / "out"
        self.rows = [made(k) for k in range(len(VOTES))]
        data = self.run / "dataset" / "data"
        data.mkdir(parents=True)
        for name, rows in (("train", self.rows[:4]), ("test", self.rows[4:])):
            body, _ = encode(COLUMNS, [row.model_dump() for row in rows])
            (data / f"{name}-00000-of-00001.parquet").write_bytes(body)
        card = "---\nlicense: cc-by-4.0\nlanguage: [en]\n---\n# A card\n"
        (self.run / "dataset" / "README.md").write_text(card, encoding="utf-8")
        bench.folder = self.run / "annotation"
        self.batch = bench.make(self.rows, controls=0.3)
        bench.votes(
            self.batch, {row.id: says for row, (_, says) in zip(self.rows, VOTES, strict=True)}
        )
        self.adjudicate()

    def adjudicate(self):
        adjudicate(gather([self.batch.folder]), "majority").write(self.batch.folder)

    def publish(self, **more):
        return publish([self.batch.folder], self.out, LIMITS, **more)

    def table(self, place):
        return pq.read_table(self.out / place / "test-00000-of-00001.parquet").to_pylist()

    def left(self):
        lines = (self.out / "left_out.jsonl").read_text(encoding="utf-8").splitlines()
        return {one["row_id"]: one for one in map(json.loads, lines)}


@pytest.fixture
def run(bench, made, tmp_path):
    return Made(bench, made, tmp_path)


def test_each_row_goes_where_people_put_it(run):
    done = run.publish()
    wanted = [row.id for row, (where, _) in zip(run.rows, VOTES, strict=True) if where == "default"]
    assert [row["id"] for row in run.table("data")] == wanted
    assert [row["id"] for row in run.table("unsafe")] == [run.rows[2].id]
    assert not (run.out / "tame").exists()
    assert {i: one["reason"] for i, one in run.left().items()} == {
        run.rows[3].id: "unclear to people",
        run.rows[4].id: "no agreement on benign: as many said one thing as another",
        run.rows[5].id: "nobody answered it",
    }
    assert done.configs == {"default": 2, "unsafe": 1}
    assert sum(done.configs.values()) + sum(done.left_out.values()) == len(VOTES)


def test_labels_and_counts_stand_beside_the_lineage(run):
    run.publish()
    row = run.table("data")[1]
    assert row["human_benign"] == "yes"
    assert [row[f"human_benign_{a}"] for a in ("yes", "no", "unclear")] == [2, 1, 0]
    assert (row["human_benign_how"], row["annotators"]) == ("majority", 3)
    assert row["human_looks_toxic"] == "yes"
    lineage = {column.name: row[column.name] for column in COLUMNS}
    assert lineage["looks_toxic"] == 0.9
    assert lineage["seed_ids"] == ["s-1"]


def test_nothing_of_a_control_is_published(run):
    run.publish()
    text = b"".join(path.read_bytes() for path in run.out.rglob("*") if path.is_file())
    for key in run.batch.keys.values():
        if key.kind != "row":
            assert run.batch.items[key.item].prompt.encode() not in text
    assert b"control" in text  # the card says how many there were


def test_people_are_not_named_and_left_out_rows_have_no_text(run):
    run.publish()
    card = (run.out / "README.md").read_text(encoding="utf-8")
    left = (run.out / "left_out.jsonl").read_text(encoding="utf-8")
    assert not {"ana", "bo", "cy"} & set(card.replace("`", " ").split())
    for row in run.rows[3:]:
        assert row.prompt not in left + card


def test_it_loads_and_the_default_is_the_benign_one(run):
    datasets = pytest.importorskip("datasets")
    run.publish()
    loaded = datasets.load_dataset(str(run.out), cache_dir=str(run.out.parent / "cache"))
    assert {name: len(part) for name, part in loaded.items()} == {"test": 2}
    assert set(loaded["test"]["human_benign"]) == {"yes"}
    unsafe = datasets.load_dataset(str(run.out), "unsafe", cache_dir=str(run.out.parent / "cache"))
    assert set(unsafe["test"]["human_benign"]) == {"no"}


def test_the_card_says_what_was_counted(run):
    run.publish()
    card = (run.out / "README.md").read_text(encoding="utf-8")
    header = yaml.safe_load(card.split("---", 2)[1])
    assert header["license"] == "cc-by-4.0"
    assert [one["config_name"] for one in header["configs"]] == ["default", "unsafe"]
    assert [one.get("default") for one in header["configs"]] == [True, None]
    assert "3 of the published rows also stand in the `train` split" in card
    assert "| unclear to people | 1 |" in card
    assert "3 yes" not in card
    assert "2 yes, 1 no, 1 unclear" in card
    assert "Gwet's AC1" in card


def test_an_empty_default_is_refused_so_that_unsafe_never_loads_first(run, fine):
    store = run.batch.store()
    for name in run.batch.assignment:
        for item, key in run.batch.keys.items():
            if key.row_id:
                labels = fine | {"benign": "no"}
                store.put(Answer(item=item, annotator=name, labels=labels))
    store.close()
    run.adjudicate()
    with pytest.raises(InputError, match="nothing to publish"):
        run.publish()
    assert not run.out.exists()


def test_unsafe_rows_can_be_listed_only(run):
    done = run.publish()
    assert "unsafe" in done.configs
    done = run.publish(with_unsafe=False)
    assert done.configs == {"default": 2}
    assert not (run.out / "unsafe").exists()
    assert run.left()[run.rows[2].id]["reason"] == "not benign to people"


def test_a_tame_row_is_kept_apart(run, fine):
    store = run.batch.store()
    item = next(i for i, key in run.batch.keys.items() if key.row_id == run.rows[0].id)
    for name in run.batch.assignment:
        labels = fine | {"looks_toxic": "no"}
        store.put(Answer(item=item, annotator=name, labels=labels))
    store.close()
    run.adjudicate()
    assert run.publish().configs == {"default": 1, "tame": 1, "unsafe": 1}
    assert [row["id"] for row in run.table("tame")] == [run.rows[0].id]


def test_what_does_not_fit_is_one_line(run, made, bench, tmp_path, fine):
    bench.say(run.batch, "ana", {run.rows[5].id: fine})
    with pytest.raises(InputError, match="answers have changed since it was adjudicated"):
        run.publish()
    run.adjudicate()
    with pytest.raises(InputError, match=r"no dataset/data/\*\.parquet"):
        run.publish(run=tmp_path)
    other = tmp_path / "other" / "dataset" / "data"
    other.mkdir(parents=True)
    body, _ = encode(COLUMNS, [made(99).model_dump()])
    (other / "train-00000-of-00001.parquet").write_bytes(body)
    with pytest.raises(InputError, match="another run than the batch's"):
        run.publish(run=tmp_path / "other")
    changed = [row.model_copy(update={"prompt": "Something else?"}) for row in run.rows]
    body, _ = encode(COLUMNS, [row.model_dump() for row in changed])
    (other / "train-00000-of-00001.parquet").write_bytes(body)
    with pytest.raises(InputError, match="is not what people saw"):
        run.publish(run=tmp_path / "other")
    assert not run.out.exists()


def test_the_commands(run):
    import typer

    app = typer.Typer()
    app.command("agreement")(annotate_agreement.agreement)
    app.command("adjudicate")(annotate_publish.adjudicate)
    app.command("publish")(annotate_publish.publish)
    call, folder = CliRunner(), str(run.batch.folder)
    done = call.invoke(app, ["agreement", folder, "--json", "--resamples", "100"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["batch"] == "batch"
    assert (run.batch.folder / "agreement" / "agreement.html").is_file()
    done = call.invoke(app, ["adjudicate", folder, "--tie-break", "di,eve", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["disputed"] == [run.rows[4].id]
    assert told["tie_break"].endswith("batch-tie-break-1")
    done = call.invoke(app, ["publish", folder, "--out", str(run.out), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["configs"] == {"default": 2, "unsafe": 1}
