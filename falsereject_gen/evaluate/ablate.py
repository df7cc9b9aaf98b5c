"""The ablation: the same budget of rows with other ways to draw entities and other loops.

One arm is one run in a folder of its own, so an ablation that was stopped goes on where it was.
What the arms are is here; how they are measured and shown is ablation_table.py.

`loop = N` is the whole loop. `loop = 1` is one draft a brief, judged, never revised. `loop = 0` is
no loop: every first draft is a row. It is run as one round in which the embedded judges look on
and every threshold is open (harm 1, looks_toxic 0, nobody need refuse or answer, a duplicate is the
same text to four decimals of its cosine), so nothing of it costs a call but the draft; the
orchestrator's patterns of harm still hold.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from falsereject_gen.errors import FalseRejectError, InputError, UsageError
from falsereject_gen.evaluate.jsonfile import read_object
from falsereject_gen.run.store import Store
from falsereject_gen.settings import RunSettings, SamplingSettings, load_settings

__all__ = ["GRAPHS", "Arm", "Runner", "arm_settings", "arms_of", "run_arms"]

GRAPHS = ("none", "seed", "walk", "coverage")
MOST_ROUNDS = 20
_OPEN = {"harm_max": 1.0, "toxic_min": 0.0, "min_refusals": 0, "min_compliances": 0, "rounds": 1}
_WATCHED: dict[str, list[str]] = {
    "discriminator": ["embedded"],
    "panel": [],
    "pool": ["embedded"],
    "orchestrator": ["embedded"],
}

Runner = Callable[[RunSettings, Path, bool], Any]
"""Makes a run in a folder, or goes on with the one in it."""


@dataclass(frozen=True)
class Arm:
    """One way to draw entities with one kind of loop."""

    graph: str
    rounds: int

    @property
    def name(self) -> str:
        """The name of its folder."""
        return f"{self.graph}-{self.rounds}"


def arms_of(graphs: str, rounds: str, settings: RunSettings) -> list[Arm]:
    """The arms that two lists such as `none,walk` and `0,1,N` ask for.

    Args:
        graphs: names of `sampling.graph`, with commas.
        rounds: whole numbers, or N for `loop.rounds`, with commas.
        settings: say what N is.

    Raises:
        UsageError: an unknown name, or no number of rounds.
    """
    known = get_args(SamplingSettings.model_fields["graph"].annotation)
    ways = _parts(graphs)
    unknown = [name for name in ways if name not in known]
    if unknown or not ways:
        raise UsageError(f"--graphs {graphs}: of {', '.join(known)}, with commas")
    counts = []
    for part in _parts(rounds):
        number = str(settings.loop.rounds) if part.upper() == "N" else part
        if not number.isdecimal() or int(number) > MOST_ROUNDS:
            raise UsageError(f"--rounds {rounds}: 0 to {MOST_ROUNDS} or N, with commas")
        counts.append(int(number))
    if not counts:
        raise UsageError(f"--rounds {rounds}: 0 to {MOST_ROUNDS} or N, with commas")
    return [Arm(graph, n) for graph in ways for n in dict.fromkeys(counts)]


def _parts(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def arm_settings(settings: RunSettings, arm: Arm) -> RunSettings:
    """The settings of an arm: those given, but for its graph and its loop."""
    base = settings.model_dump(mode="json")
    base["sampling"]["graph"] = arm.graph
    base["loop"]["rounds"] = arm.rounds
    if not arm.rounds:
        base["loop"] |= _OPEN
        base["dedup"] = dict.fromkeys(base["dedup"], 1.0)
        if settings.cast == "spoken" or settings.roles:
            base["roles"] |= _WATCHED
    return load_settings(base=base)


def run_arms(
    settings: RunSettings,
    arms: Sequence[Arm],
    out: Path,
    run: Runner,
    say: Callable[[str], None] = lambda _: None,
) -> list[Path]:
    """Run every arm that is not finished, one after the other.

    Returns:
        The run folders, in the order of the arms.

    Raises:
        UsageError: a folder holds an arm of another ablation.
        Stopped: a budget is spent or the user stopped it; the same command goes on.
    """
    planned = [(arm, arm_settings(settings, arm), out / arm.name) for arm in arms]
    states = [_state(folder, wanted) for _, wanted, folder in planned]
    for place, ((arm, wanted, folder), state) in enumerate(zip(planned, states, strict=True), 1):
        if state == "finished":
            say(f"arm {place} of {len(planned)}, {arm.name}: finished before")
            continue
        say(f"arm {place} of {len(planned)}, {arm.name}: {wanted.target:,} rows")
        run(wanted, folder, state == "begun")
    return [folder for _, _, folder in planned]


def _state(folder: Path, wanted: RunSettings) -> str:
    """`new`, `begun` or `finished`."""
    store = folder / "run.sqlite"
    if not store.is_file():
        return "new"
    if (folder / "manifest.json").is_file():
        _same(folder, read_object(folder / "manifest.json").get("settings"), wanted)
        return "finished"
    opened = Store(store)
    try:
        values = opened.get("settings")
    finally:
        opened.close()
    if values is None:
        return "new"
    _same(folder, values, wanted)
    return "begun"


def _same(folder: Path, values: Any, wanted: RunSettings) -> None:
    try:
        found = load_settings(base=values) if isinstance(values, dict) else None
    except (FalseRejectError, InputError):
        found = None
    if found != wanted:
        what = "it holds a run with other settings; choose another --out"
        raise UsageError(f"{folder}: {what}")
