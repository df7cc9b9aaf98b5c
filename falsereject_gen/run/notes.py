"""What a run says of its seeds before the first brief: those that give no rows, and why."""

from falsereject_gen.roles.embedded.generator import GrammarGenerator
from falsereject_gen.run.languages import language_notes
from falsereject_gen.run.world import World

__all__ = ["notes"]

_CUT = 60


def notes(world: World) -> list[str]:
    """One line each: seeds in other languages, seeds not extracted, seeds nobody can speak of."""
    return [*language_notes(world), *_unextracted(world), *_mute(world)]


def _unextracted(world: World) -> list[str]:
    """One line if a spoken extractor failed for some seeds."""
    failed, total = len(world.unextracted), len(world.seeds)
    if not failed:
        return []
    return [
        f"{failed} of {total} seeds could not be extracted and give no briefs; why: "
        "graph/extraction.json. --resume asks for them again"
    ]


def _mute(world: World) -> list[str]:
    """One line a category with English seeds of which the grammar has nothing to say."""
    generator = world.cast.generator
    if not isinstance(generator, GrammarGenerator):
        return []
    seeds = {seed.id: seed for seed in world.seeds if seed.language in ("en", "und")}
    out = []
    for category, ids in generator.stock.mute(world.graphs).items():
        lost = [seeds[name].text for name in ids if name in seeds]
        if lost:
            total = sum(seed.category == category for seed in seeds.values())
            more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
            first = lost[0] if len(lost[0]) <= _CUT else f"{lost[0][: _CUT - 1]}…"
            out.append(
                f"{category}: {len(lost)} of {total} seeds give no row ({first!r}{more}); "
                "`falsereject-gen categories check` says why"
            )
    return out
