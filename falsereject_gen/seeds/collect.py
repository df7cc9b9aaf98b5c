"""Seed files into seeds: read, benign rows left out, de-duplicated, categorised, all counted."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from falsereject_gen.dedup.encoder import Encoder, Vectors
from falsereject_gen.dedup.index import near_pairs
from falsereject_gen.errors import InputError
from falsereject_gen.records import ENGLISH, Seed
from falsereject_gen.rooms import Rooms
from falsereject_gen.seeds.bundled import bundled_seeds
from falsereject_gen.seeds.categorise import Categoriser
from falsereject_gen.seeds.items import Item, items_of, prompts_of
from falsereject_gen.seeds.ledger import FATES, Ledger
from falsereject_gen.seeds.read import read_table
from falsereject_gen.seeds.recognise import choose
from falsereject_gen.settings import BUNDLED
from falsereject_gen.taxonomy import UNCATEGORISED, Crosswalks, Taxonomy

__all__ = ["Collection", "collect_seeds", "read_texts"]


@dataclass(frozen=True)
class Collection:
    """Seeds, and what became of everything that was read.

    Attributes:
        seeds: in the order of the files.
        counts: prompts `read`; of these `benign` (left out), `null`, `empty`, `too_long` (over
            4,000 characters), `unreadable`, `duplicates` (exact, but for case, white space and
            Unicode form) and `kept`, which add up to `read`; of the kept ones `near_duplicates`,
            `uncategorised` and `not_english`; and prompts with an `unknown_label`. A row that
            holds a toxic prompt and its benign twin counts as two prompts.
        problems: one line each, with file and place, for what could not be used; no prompt text.
        near: for each near-duplicate its id, that of the nearest earlier seed, and their cosine;
            among English seeds, the only ones whose cosines mean anything.
    """

    seeds: tuple[Seed, ...]
    counts: dict[str, int]
    problems: tuple[str, ...]
    near: tuple[tuple[str, str, float], ...]


def read_texts(path: Path) -> list[str]:
    """All prompts of any readable file, benign or not, stripped, without empty ones.

    Raises:
        InputError: the file cannot be read or has no column of prompts.
    """
    table = read_table(path)
    form = choose(table, None, None, None)
    if form.refuse:
        raise InputError(form.refuse, path=path)
    texts = prompts_of(table, form)
    if not texts:
        raise InputError(f"no prompt in any of {len(table.rows):,} rows", path=path)
    return texts


def collect_seeds(
    paths: Sequence[Path],
    rooms: Rooms,
    taxonomy: Taxonomy,
    crosswalks: Crosswalks,
    encoder: Encoder,
    *,
    format: str | None = None,
    prompt_column: str | None = None,
    category_column: str | None = None,
) -> Collection:
    """Read seed files, or take the bundled seeds when there are none.

    Args:
        paths: files of any known format, each recognised on its own; `bundled` stands for ours.
        rooms: bundled seeds and the cosine of near-duplicates (`dedup.seeds_max` of loop.yaml).
        taxonomy: categories to place seeds in.
        crosswalks: what the labels of public sets mean.
        encoder: for categories and near-duplicates.
        format: name of a format, instead of recognising it.
        prompt_column: column with the prompt, instead of the format's.
        category_column: column with the category, instead of the format's.

    Raises:
        UsageError: no format has this name.
        InputError: a file cannot be used, or no toxic seed is left.
    """
    ledger = Ledger()
    items: list[Item] = []
    formats: list[str] = []
    for path in paths or [BUNDLED]:
        if path == BUNDLED:
            items += _bundled(rooms, taxonomy, ledger)
            formats.append("bundled seeds")
            continue
        table = read_table(path)
        form = choose(table, format, prompt_column, category_column)
        if form.refuse:
            raise InputError(form.refuse, path=path)
        formats.append(form.name)
        items += items_of(table, form, taxonomy, crosswalks, ledger)
    kept = _unique(items, ledger)
    if not kept:
        raise InputError(ledger.nothing_left(formats), path=", ".join(map(str, paths)))
    vectors = encoder.many([item.text for item in kept])
    placed = _place(kept, vectors, rooms, taxonomy, encoder)
    seeds = tuple(_seed(item, *place) for item, place in zip(kept, placed, strict=True))
    near = _near(seeds, vectors, rooms.yaml("graphs/loop.yaml")["dedup"]["seeds_max"])
    return Collection(seeds, _counts(ledger, seeds, near), ledger.problems(), near)


def _bundled(rooms: Rooms, taxonomy: Taxonomy, ledger: Ledger) -> list[Item]:
    seeds = [seed for seed in bundled_seeds(rooms) if seed.category in taxonomy]
    if not seeds:
        raise InputError(
            "the taxonomy has none of the categories with bundled seeds; name seed files"
        )
    ledger.counts["read"] += len(seeds)
    return [Item(s.text, s.text, s.source, s.licence, s.language, (s.category,)) for s in seeds]


def _unique(items: Sequence[Item], ledger: Ledger) -> list[Item]:
    """The first of equal texts; it takes over a later one's label if it has none itself."""
    found: dict[str, Item] = {}
    for item in items:
        key = " ".join(unicodedata.normalize("NFKC", item.text).casefold().split())
        first = found.setdefault(key, item)
        if first is not item:
            ledger.counts["duplicates"] += 1
            if item.choices and not first.choices:
                found[key] = replace(first, choices=item.choices, confidence=item.confidence)
    return list(found.values())


def _place(
    items: Sequence[Item], vectors: Vectors, rooms: Rooms, taxonomy: Taxonomy, encoder: Encoder
) -> list[tuple[str, float]]:
    """Category and confidence of each; what is not English and has no single label stays open."""
    out = [
        (item.choices[0], item.confidence) if len(item.choices) == 1 else (UNCATEGORISED, 0.0)
        for item in items
    ]
    open_ = [n for n, i in enumerate(items) if len(i.choices) != 1 and i.language == "en"]
    if not open_:
        return out
    asked = vectors[open_]
    longer = [n for n, place in enumerate(open_) if items[place].ask != items[place].text]
    asked[longer] = encoder.many([items[open_[n]].ask for n in longer])
    placer = Categoriser(taxonomy, rooms, encoder)
    found = placer.place_vectors(asked, [items[place].choices for place in open_])
    for place, answer in zip(open_, found, strict=True):
        out[place] = answer
    return out


def _seed(item: Item, category: str, confidence: float) -> Seed:
    return Seed.make(
        item.text,
        category,
        source=item.source,
        licence=item.licence,
        language=item.language,
        confidence=confidence,
    )


def _near(
    seeds: Sequence[Seed], vectors: Vectors, at_least: float
) -> tuple[tuple[str, str, float], ...]:
    """Of English seeds: the encoder finds half of all Chinese ones near-duplicates."""
    known = [place for place, seed in enumerate(seeds) if seed.language == ENGLISH]
    found: dict[int, tuple[str, str, float]] = {}
    for a, b, score in near_pairs(vectors[known], at_least) if known else ():  # best first
        earlier, later = known[a], known[b]
        found.setdefault(later, (seeds[later].id, seeds[earlier].id, score))
    return tuple(found[later] for later in sorted(found))


def _counts(
    ledger: Ledger, seeds: Sequence[Seed], near: Sequence[tuple[str, str, float]]
) -> dict[str, int]:
    return {
        "read": ledger.counts["read"],
        **{fate: ledger.counts[fate] for fate in FATES},
        "kept": len(seeds),
        "near_duplicates": len(near),
        "uncategorised": sum(seed.category == UNCATEGORISED for seed in seeds),
        "unknown_label": ledger.counts["unknown_label"],
        "not_english": sum(seed.language != "en" for seed in seeds),
    }
