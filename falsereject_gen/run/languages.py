"""What a run says of the languages of its seeds: served or not and why, and what is weak."""

from collections.abc import Sequence

from falsereject_gen.records import ENGLISH
from falsereject_gen.roles.cast import english_only, speakers
from falsereject_gen.run.world import World
from falsereject_gen.seeds.language import NAMES, unserved

__all__ = ["language_notes"]


def language_notes(world: World) -> list[str]:
    """One line for every language that gets no rows, and what is weak for those that get some."""
    total = len(world.collection.seeds)
    lines = [
        f"{count} of {total} seeds are in language `{code}` and not served: {_why(world, code)}; "
        "they are kept, counted and left alone"
        for code, count in unserved(world.collection.seeds, world.served).items()
    ]
    others = sorted({seed.language for seed in world.seeds} - {ENGLISH})
    for code in others:
        lines += _weak(world, code)
    return lines + _unjudged(world, others)


def _why(world: World, code: str) -> str:
    """Why a language is not served, and what would serve it."""
    if code not in NAMES:
        return "it is none of those in which a draft's language could be checked"
    roles = ", ".join(f"roles.{role}" for role in english_only(world.settings))
    return (
        f"the embedded cast knows English only and plays {roles}; "
        "a cast that is spoken throughout writes them in their language"
    )


def _weak(world: World, code: str) -> list[str]:
    """What an English encoder and an English extractor cannot do for a language."""
    lines = [
        f"language `{code}`: the sentence encoder knows English only, so of its rows only equal "
        "ones are recognised as duplicates; look for near ones yourself"
    ]
    bare = sum(
        not small.entities
        for small, seed in zip(world.graphs, world.seeds, strict=True)
        if seed.language == code
    )
    extracted = world.settings.sampling.graph == "seed" and "extractor" in speakers(world.settings)
    if bare and world.settings.sampling.graph != "none" and not extracted:
        lines.append(
            f"language `{code}`: {bare} of its seeds have no entities, as nobody extracts them; "
            "their briefs name a category and a strategy only"
        )
    return lines


def _unjudged(world: World, others: Sequence[str]) -> list[str]:
    """Without a judge nobody says whether a reply in another language refuses."""
    if not others or "judge" in speakers(world.settings):
        return []
    return [
        f"nobody plays roles.judge, and the rules of refusal are English: replies in "
        f"{', '.join(f'`{code}`' for code in others)} stay undetermined"
    ]
