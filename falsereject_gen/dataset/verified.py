"""The human-verified split: its columns, its configs, its card, its folder.

What people said, and which row goes where, is decided by the caller; here it becomes files. Three
configs: `default` (benign and toxic-looking to people), `tame` (benign, nobody would stop it) and
`unsafe` (not benign), which is never the default and stands in a folder of its own.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from markupsafe import Markup

from falsereject_gen import __version__
from falsereject_gen.dataset.columns import COLUMNS, Column
from falsereject_gen.dataset.markdown import render
from falsereject_gen.dataset.splits import encode
from falsereject_gen.errors import InputError
from falsereject_gen.files import replace_folder

__all__ = [
    "CONFIGS",
    "LEFT_OUT",
    "run_terms",
    "verified_card",
    "verified_columns",
    "write_verified",
]

CONFIGS: Mapping[str, str] = {
    "default": "data/test-00000-of-00001.parquet",
    "tame": "tame/test-00000-of-00001.parquet",
    "unsafe": "unsafe/test-00000-of-00001.parquet",
}
"""Where the one split, `test`, of each config stands."""
LEFT_OUT = "left_out.jsonl"
_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"))
_TERMS = ("license", "license_name", "license_link", "language", "source_datasets")
Rows = Sequence[Mapping[str, Any]]


class _Packed(NamedTuple):
    name: str
    rows: Rows
    data: bytes
    size: int


def verified_columns(questions: Mapping[str, Sequence[str]]) -> tuple[Column, ...]:
    """The columns of a run's dataset, then what people said: label, counts and how, a question.

    Args:
        questions: answers by question.
    """
    out = [*COLUMNS, Column("annotators", "int64", "People who answered anything about it.")]
    for name, answers in questions.items():
        out.append(Column(f"human_{name}", "string", f"{name}: the label; empty when undecided."))
        for answer in answers:
            says = f"{name}: people who said {answer}."
            out.append(Column(f"human_{name}_{answer}", "int64", says))
        says = f"{name}: how it was decided (majority, unanimous, dawid-skene, tie-break)."
        out.append(Column(f"human_{name}_how", "string", says))
    return tuple(out)


def write_verified(
    folder: Path,
    configs: Mapping[str, Rows],
    left_out: Sequence[Mapping[str, Any]],
    questions: Mapping[str, Sequence[str]],
    values: Mapping[str, Any],
) -> None:
    """Write Parquet files, left_out.jsonl and the card; `datasets.load_dataset(folder)` reads it.

    Args:
        folder: put in place as a whole; files of others in it stay.
        configs: rows by config of CONFIGS; empty ones are not written.
        left_out: one object a line, with a reason.
        questions: answers by question.
        values: what verified.md.j2 needs beside what is counted here.

    Raises:
        InputError: the default config is empty: the next one would load in its place.
        StoreError: the folder cannot be written; what was there is untouched.
    """
    if not configs.get("default"):
        what = "no row is benign and toxic-looking to people: there is nothing to publish"
        raise InputError(what)
    columns = verified_columns(questions)
    packed = [_Packed(n, configs[n], *encode(columns, configs[n])) for n in CONFIGS if configs[n]]
    files = {CONFIGS[one.name]: one.data for one in packed}
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in left_out)
    files[LEFT_OUT] = lines.encode()
    files["README.md"] = verified_card(packed, columns, left_out, values).encode()
    replace_folder(folder, files, {*files, *CONFIGS.values()})


def verified_card(
    packed: Sequence[_Packed],
    columns: Sequence[Column],
    left_out: Sequence[Mapping[str, Any]],
    values: Mapping[str, Any],
) -> str:
    """The card (README.md): a YAML header for the Hub, then Markdown. No annotator is named."""
    header = yaml.safe_dump(
        _header(packed, columns, values["terms"]), sort_keys=False, allow_unicode=True, width=10_000
    )
    own = {
        "header": Markup(str(header).rstrip()),
        "version": __version__,
        "configs": [(one.name, len(one.rows)) for one in packed],
        "columns": columns[len(COLUMNS) :],
        "left_out": len(left_out),
    }
    return render("verified.md.j2", {**values, **own})


def run_terms(run: Path) -> dict[str, Any]:
    """Licence, language and sources as the run's own card has them; `other` without a card."""
    try:
        text = (run / "dataset" / "README.md").read_text(encoding="utf-8")
        found = yaml.safe_load(text.split("---", 2)[1])
        return {name: found[name] for name in _TERMS if name in found}
    except (OSError, IndexError, yaml.YAMLError, TypeError):
        return {"license": "other", "license_name": "see-card"}


def _header(
    packed: Sequence[_Packed], columns: Sequence[Column], terms: Mapping[str, Any]
) -> dict[str, Any]:
    total = sum(len(one.rows) for one in packed)
    return {
        **terms,
        "pretty_name": f"falsereject-gen: {len(packed[0].rows)} human-verified prompts",
        "size_categories": [next((name for top, name in _SIZES if total < top), "n>1M")],
        "task_categories": ["text-generation", "text-classification"],
        "tags": ["over-refusal", "false-refusal", "llm-safety", "synthetic", "human-verified"],
        "annotations_creators": ["other"],
        "language_creators": ["machine-generated"],
        "configs": [
            {
                "config_name": one.name,
                **({"default": True} if one.name == "default" else {}),
                "data_files": [{"split": "test", "path": CONFIGS[one.name]}],
            }
            for one in packed
        ],
        "dataset_info": [_info(one, columns) for one in packed],
    }


def _info(one: _Packed, columns: Sequence[Column]) -> dict[str, Any]:
    return {
        "config_name": one.name,
        "features": [column.feature for column in columns],
        "splits": [{"name": "test", "num_bytes": one.size, "num_examples": len(one.rows)}],
        "download_size": len(one.data),
        "dataset_size": one.size,
    }
