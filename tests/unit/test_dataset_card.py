"""The dataset card: what it counts and says, and what text in it cannot do."""

import json
import re

import pytest
import yaml

from falsereject_gen.dataset.card import dataset_card
from falsereject_gen.dataset.columns import COLUMNS
from falsereject_gen.dataset.markdown import escape, fenced
from falsereject_gen.dataset.splits import pack
from falsereject_gen.records import (
    Brief,
    Candidate,
    Draft,
    Entity,
    Round,
    Row,
    Ruling,
    Seed,
    SeedGraph,
    Verdict,
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


def make_round(text="Kill it?", harm=0.2, label="benign", decision="accept", **rest):
    ruling = Ruling(decision=decision, stage="orchestrate", fault=rest.pop("fault", ""))
    verdict = Verdict(harm=harm, looks_toxic=0.8, label=label) if label else None
    draft = Draft(text=text, by="embedded", entities=("kill",))
    return Round(draft=draft, verdict=verdict, ruling=ruling, **rest)


def make_candidate(*rounds, status="accepted", category="c-1", ordinal=0):
    kill = Entity(id="kill", surface="kill", kind="act")
    child = Entity(id="child", surface="child", kind="person")
    brief = Brief(
        id=f"b-{ordinal}",
        ordinal=ordinal,
        category=category,
        strategy="history",
        entities=(kill, child),
        seed_ids=("s-1",),
        rng=1,
    )
    return Candidate(
        brief=brief, rounds=rounds, status=status, stage="orchestrate", reason="because"
    )


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


def header(card):
    return yaml.safe_load(card.split("---\n")[1])


def test_the_header_says_what_is_there():
    rows = make_rows(40)
    told, splits = header(make_card(rows)), pack(rows, 0.3)
    assert told["license"] == "apache-2.0"
    assert told["language"] == ["en"]
    assert told["size_categories"] == ["n<1K"]
    assert told["source_datasets"] == ["original"]
    assert told["annotations_creators"] == ["machine-generated"]
    assert told["configs"] == [
        {
            "config_name": "default",
            "data_files": [{"split": "train", "path": TRAIN}, {"split": "test", "path": TEST}],
        }
    ]
    info = told["dataset_info"]
    assert [f["name"] for f in info["features"]] == NAMES
    assert [s["num_examples"] for s in info["splits"]] == [len(s.rows) for s in splits]
    assert info["download_size"] == sum(len(s.data) for s in splits)
    assert info["dataset_size"] == sum(s["num_bytes"] for s in info["splits"])


def test_the_card_counts():
    rows = make_rows(40)
    fallen = [make_candidate(*[make_round()] * 2, status="rejected") for _ in range(10)]
    card = make_card(rows, fallen)
    train, test = (len(s.rows) for s in pack(rows, 0.3))
    assert f"| train | {train} |\n| test | {test} |" in card
    assert "| Name 4 &amp; Co | Domain 0 | 0 | 0 |" in card
    assert "| 1 | 50 | 20 | 40.0 % |\n| 2 | 30 | 20 | 80.0 % |\n\n" in card
    assert "40 candidates were accepted and 10 rejected" in card
    assert "orchestrate 10)." in card
    assert "| lexical-guard | 40 | 0 |" in card
    assert "below 0.8 to every earlier row" in " ".join(card.split())
    for column in COLUMNS:
        assert f"| `{column.name}` |" in card
    for paper in ("2505.08054", "2405.20947", "2503.17882"):
        assert f"arXiv:{paper}" in card


def test_tables_have_as_many_cells_as_their_head():
    for share in (0.3, 0.0):
        card = make_card(make_rows(40), output={"test_share": share})
        for block in re.findall(r"(?:^ *\|.*\n)+", card, flags=re.M):
            cells = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
            assert len(cells) == 1, block
            assert re.fullmatch(r" *\|(:?-+:?\|)+", block.splitlines()[1])


def test_the_settings_in_the_card_make_the_run_again(tmp_path):
    where = tmp_path / "secret-seeds.csv"
    card = make_card(make_rows(40), seed=7)
    block = yaml.safe_load(re.search(r"```yaml\n(.*?)```", card, flags=re.S)[1])
    assert RunSettings.model_validate(block) == make_settings(seed=7)
    named = make_card(make_rows(40), reference=(where,), taxonomy=where)
    assert "secret" not in named
    assert str(tmp_path) not in named
    assert "Files were given for `reference` (1), `taxonomy` (1)" in named


def test_the_card_has_no_date_and_is_the_same_again():
    rows = make_rows(40)
    assert make_card(rows) == make_card(rows)
    assert not re.search(r"\d{4}-\d{2}-\d{2}|\d\d:\d\d:\d\d", make_card(rows))


def test_seeds_of_others_change_the_licence():
    seeds = [
        Seed.make("a", "c-0", source="falsereject-gen", licence="Apache-2.0"),
        Seed.make("b", "c-0", source="/home/me/other|set.csv", licence="CC-BY-NC-4.0"),
    ]
    card = make_card(make_rows(40), seeds=seeds)
    assert header(card)["license"] == "other"
    assert header(card)["source_datasets"] == ["extended|other-other|set.csv"]
    assert "/home/me" not in card
    assert r"| other\|set.csv | CC-BY-NC-4.0 | 1 |" in card


def test_a_short_run_says_so():
    assert "Fewer rows than asked for" not in make_card(make_rows(40))
    card = make_card(make_rows(39), why_short="category <b>c-1</b> was given up")
    assert "39 of 40. category &lt;b&gt;c-1&lt;/b&gt; was given up" in card


def test_text_in_the_card_formats_nothing():
    rows = make_rows(40)
    rows[0] = make_row(0, "kill ``` it\n# Owned\n---\n| <script>")
    card = make_card(rows, why_short="", target=40)
    block = re.search(r"^````json\n(.*?)\n````$", card, flags=re.S | re.M)
    assert json.loads(block[1])["prompt"] == rows[0].prompt
    assert "\n# Owned" not in card


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a | b\n# c", r"a \| b \# c"),
        ("<b>&amp;[x](y)", r"&lt;b&gt;&amp;amp;\[x\]\(y\)"),
        ("https://x.org www.x.org a@x.org", "https&#58;//x.org www&#46;x.org a&#64;x.org"),
        ("1. one", "1&#46; one"),
        ("- one", "&#45; one"),
        ("0.5", "0.5"),
        ("a_b*c`d\\", r"a\_b\*c\`d" + "\\\\"),
    ],
)
def test_escape(text, said):
    assert escape(text) == said


def test_fence_is_longer_than_what_is_in_it():
    assert fenced("a ````` b", "json") == "``````json\na ````` b\n``````"
