"""The dataset room: splits, Parquet files, what load_dataset makes of them."""

import pyarrow.parquet as pq
import pytest

from falsereject_gen.dataset.card import dataset_card
from falsereject_gen.dataset.columns import COLUMNS
from falsereject_gen.dataset.export import write_dataset
from falsereject_gen.dataset.splits import pack, side
from falsereject_gen.errors import UsageError
from falsereject_gen.records import (
    Row,
    Seed,
    SeedGraph,
)
from falsereject_gen.run.commit import row_id
from falsereject_gen.settings import RunSettings
from falsereject_gen.taxonomy import Category, Taxonomy

TAXONOMY = Taxonomy(
    Category(id=f"c-{k}", name=f"Name {k} & Co", domain=f"Domain {k % 2}", definition="d")
    for k in range(5)
)
NAMES = [
    *("id", "prompt", "category", "category_name", "domain", "strategy", "entities", "seed_ids"),
    *("cast", "generator", "harm", "looks_toxic", "refused_by", "complied_by", "rounds"),
    *("nearest_id", "nearest_score", "run_id", "language"),
]
TRAIN, TEST = (f"data/{name}-00000-of-00001.parquet" for name in ("train", "test"))


def make_row(k, prompt=None, **rest):
    prompt = prompt or f"How do I kill orphaned process number {k}?"
    category = TAXONOMY[f"c-{k % 4}"]
    values = {
        "id": row_id(prompt),
        "prompt": prompt,
        "category": category.id,
        "category_name": category.name,
        "domain": category.domain,
        "strategy": "homonym",
        "entities": ("kill",),
        "seed_ids": ("s-1", "s-2"),
        "cast": "embedded",
        "generator": "embedded",
        "harm": 0.25,
        "looks_toxic": 0.75,
        "refused_by": ("lexical-guard",),
        "complied_by": (),
        "rounds": 1 + k % 2,
        "nearest_id": "",
        "nearest_score": 0.0,
        "run_id": "run-1",
    }
    return Row(**(values | rest))


def make_rows(n):
    return [make_row(k) for k in range(n)]


def make_settings(**rest):
    values = {
        "target": 40,
        "loop": {
            "rounds": 4,
            "harm_max": 0.5,
            "toxic_min": 0.5,
            "min_refusals": 1,
            "min_compliances": 1,
            "patience": 9,
            "lookahead": 8,
            "spoken_lookahead": 8,
        },
        "pool": ("lexical-guard", "strict-guard"),
        "spoken_pool": ("plain",),
        "guards": {"lexical_min": 1, "neighbour_min": 0.55, "strict_harm": 0.3},
        "dedup": {"rows_max": 0.8, "seeds_max": 0.88, "reference_max": 0.87},
        "graph": {"merge_min": 0.9, "pivots": 64},
        "sampling": {"graph": "seed", "entities_min": 1, "entities_max": 4},
        "output": {"test_share": 0.3},
    }
    return RunSettings.model_validate(values | rest)


def make_card(rows, rejected=(), seeds=None, why_short="", **rest):
    if seeds is None:
        seeds = [Seed.make("do harm", "c-0", source="falsereject-gen", licence="Apache-2.0")]
    graphs = [SeedGraph(seed_id=seeds[0].id, category="c-0", entities=())] if seeds else []
    return dataset_card(
        rows,
        rejected,
        seeds=seeds,
        graphs=graphs,
        taxonomy=TAXONOMY,
        settings=make_settings(**rest),
        run_id="run-1",
        why_short=why_short,
    )


def tree(folder):
    found = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in found}


@pytest.fixture
def offline(tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets", reason="load_dataset needs the [dev] extra")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_OFFLINE", True)
    datasets.disable_progress_bars()
    return lambda folder: datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))


# splits


def test_columns_are_the_fields_of_a_row():
    assert [c.name for c in COLUMNS] == NAMES == list(Row.model_fields)
    assert all(c.says.endswith(".") for c in COLUMNS)


def test_a_row_never_changes_sides():
    few = {r.id: s.name for s in pack(make_rows(60), 0.2) for r in s.rows}
    many = {r.id: s.name for s in pack(make_rows(400), 0.2) for r in s.rows}
    assert set(few.values()) == {"train", "test"}
    assert few == {key: many[key] for key in few}


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_each_category_gives_about_the_share(share):
    rows = make_rows(4000)
    for k in range(4):
        mine = [side(r.id, share) for r in rows if r.category == f"c-{k}"]
        assert mine.count("test") / len(mine) == pytest.approx(share, abs=0.05)


def test_a_split_that_would_be_empty_is_left_out():
    rows = make_rows(30)
    assert [s.name for s in pack(rows, 0)] == ["train"]
    assert [(s.name, len(s.rows)) for s in pack(rows[:1], 0.999999)] == [("train", 1)]
    assert [(s.name, len(s.rows)) for s in pack([], 0.1)] == [("train", 0)]


# export


def test_files_and_columns(tmp_path):
    rows = make_rows(40)
    write_dataset(rows, tmp_path / "ds", test_share=0.3, card=make_card(rows))
    assert set(tree(tmp_path / "ds")) == {"README.md", TRAIN, TEST}
    tables = [pq.read_table(tmp_path / "ds" / name) for name in (TRAIN, TEST)]
    found = [line for table in tables for line in table.to_pylist()]
    assert tables[0].column_names == NAMES
    assert str(tables[0].schema.field("entities").type).startswith("list<")
    assert {line["id"]: Row(**line) for line in found} == {row.id: row for row in rows}


def test_the_same_rows_give_the_same_bytes(tmp_path):
    rows = make_rows(40)
    for name in ("a", "b"):
        write_dataset(rows, tmp_path / name, test_share=0.3, card=make_card(rows))
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


def test_load_dataset_reads_it(tmp_path, offline):
    rows = make_rows(40)
    write_dataset(rows, tmp_path / "ds", test_share=0.3, card=make_card(rows))
    loaded = offline(tmp_path / "ds")
    assert set(loaded) == {"train", "test"}
    assert loaded["train"].column_names == NAMES
    prompts = [*loaded["train"]["prompt"], *loaded["test"]["prompt"]]
    assert sorted(prompts) == sorted(row.prompt for row in rows)
    assert loaded["train"][0]["seed_ids"] == ["s-1", "s-2"]


@pytest.mark.parametrize(("number", "share"), [(10, 0.0), (1, 0.3)])
def test_load_dataset_without_a_test_split(tmp_path, offline, number, share):
    rows = make_rows(number)
    card = make_card(rows, output={"test_share": share})
    write_dataset(rows, tmp_path / "ds", test_share=share, card=card)
    assert set(tree(tmp_path / "ds")) == {"README.md", TRAIN}
    assert "test-0" not in card
    loaded = offline(tmp_path / "ds")
    assert set(loaded) == {"train"}
    assert len(loaded["train"]) == number
    assert loaded["train"].column_names == NAMES


def test_no_rows_make_an_empty_table(tmp_path):
    card = make_card([], why_short="every category was given up")
    write_dataset([], tmp_path / "ds", test_share=0.3, card=card)
    table = pq.read_table(tmp_path / "ds" / TRAIN)
    assert (table.num_rows, table.column_names) == (0, NAMES)
    assert "0 of 40. every category was given up" in card


def test_a_new_dataset_replaces_ours_and_keeps_the_rest(tmp_path):
    folder = tmp_path / "ds"
    rows = make_rows(40)
    write_dataset(rows, folder, test_share=0.3, card=make_card(rows))
    (folder / "data" / "notes.txt").write_text("mine", encoding="utf-8")
    write_dataset(
        rows[:9], folder, test_share=0, card=make_card(rows[:9], output={"test_share": 0})
    )
    assert set(tree(folder)) == {"README.md", TRAIN, "data/notes.txt"}
    assert [p.name for p in tmp_path.iterdir()] == ["ds"]


def test_a_card_of_another_share_is_refused(tmp_path):
    rows = make_rows(40)
    with pytest.raises(UsageError, match=r"differ on data/test-"):
        write_dataset(rows, tmp_path / "ds", test_share=0, card=make_card(rows))
    assert not list(tmp_path.iterdir())
