"""A run without MiniLM, for benchmarks and tests of everything round it: starts in seconds.

The encoder is hashed letter trigrams: a pure function of the text, so near-duplicates are still
found and runs still repeat, but its cosines mean little. `python benchmarks/cheap.py FOLDER
key=value …` makes (or goes on with) a run from some of our seeds and says `begin` and `end`.
"""

import json
import sys
import zlib
from pathlib import Path

import numpy as np

from falsereject_gen.dedup import encoder as home


class Trigrams:
    """Unit vectors of hashed letter trigrams."""

    def one(self, text):
        return self._vector(text, home.DIMENSIONS)

    def some(self, texts):
        return [self.one(text) for text in texts]

    def deep(self, text):
        return self._vector(text, home.DIMENSIONS * len(home.LAYERS))

    def many(self, texts):
        return np.stack([self.one(text) for text in texts])

    def deep_many(self, texts):
        return np.stack([self.deep(text) for text in texts])

    def _vector(self, text, size):
        out = np.zeros(size, dtype=np.float32)
        data = f"  {text.lower()} ".encode()
        for at in range(len(data) - 2):
            place = zlib.crc32(data[at : at + 3])
            out[place % size] += 1 if place & 1 << 20 else -1
        return out / max(1e-6, float(np.linalg.norm(out)))


def write_some_seeds(path, each=4):
    """A file with the first few bundled seeds of every category."""
    from falsereject_gen.rooms import Rooms
    from falsereject_gen.seeds.bundled import seed_files

    lines = [
        json.dumps({"text": text, "category": part.category})
        for part in seed_files(Rooms())
        for text in part.seeds[:each]
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def once(make, key=lambda *_: None):
    """A factory that makes a thing once for each key."""
    known = {}

    def made(*given):
        name = key(*given)
        if name not in known:
            known[name] = make(*given)
        return known[name]

    return made


class Extracted:
    """The embedded extractor; the same seeds are extracted once."""

    def __init__(self, *given):
        from falsereject_gen.entities.extract import EmbeddedExtractor

        self._extract = EmbeddedExtractor(*given).extract
        self.extract = once(self._extract, key=lambda seeds: tuple(seed.id for seed in seeds))


def warm():
    """Swap the encoder, and keep what every run of this process would make again.

    Returns what was there before, by name, for whoever wants to put it back.
    """
    from falsereject_gen.run import world

    limits = {"loop", "guards", "pool"}
    new = {
        "MiniLM": once(Trigrams),
        "load_lexicon": once(world.load_lexicon),
        "EmbeddedExtractor": once(Extracted),
        "EmbeddedParts": once(
            world.EmbeddedParts, key=lambda settings, *_: settings.model_dump_json(include=limits)
        ),
    }
    old = {name: getattr(world, name) for name in new}
    for name, value in new.items():
        setattr(world, name, value)
    return old


def prepare_once(sets):
    """Fill what `warm` keeps, so that every run of this process reads the same assets itself."""
    from falsereject_gen.models.desk import open_models
    from falsereject_gen.rooms import Rooms
    from falsereject_gen.run import world
    from falsereject_gen.settings import load_settings

    world.prepare(load_settings(None, sets), Rooms(), open_models({}))


def sitting(folder, sets, say=print):
    """One sitting of a run in a folder: the first, or the next."""
    from falsereject_gen import job, settings

    class Loud(job.Watcher):
        def begin(self, done, target):
            say(f"begin {done}")

    resolved = settings.load_settings(None, sets)
    resume = (folder / "run.sqlite").exists()
    result = job.run(resolved, folder, resume=resume, watcher=Loud())
    say("end " + json.dumps(result.summary()))


if __name__ == "__main__":
    warm()
    sitting(Path(sys.argv[1]), sys.argv[2:])
