"""What one brief's loop knows while it runs."""

from typing import TypedDict

from falsereject_gen.records import Brief, Draft, Neighbour, Probe, Round, Ruling, Verdict

__all__ = ["LoopState", "current_round", "start"]


class LoopState(TypedDict):
    """State of the graph; every key is set by `start`, none has a hidden default."""

    brief: Brief
    rounds: tuple[Round, ...]
    draft: Draft | None
    verdict: Verdict | None
    probes: tuple[Probe, ...]
    nearest: Neighbour | None
    ruling: Ruling | None


def start(brief: Brief) -> LoopState:
    """The state in which a brief enters its loop."""
    return LoopState(
        brief=brief, rounds=(), draft=None, verdict=None, probes=(), nearest=None, ruling=None
    )


def current_round(state: LoopState, ruling: Ruling) -> Round:
    """The turn that is being closed, with what everybody said in it."""
    draft = state["draft"]
    if draft is None:
        raise RuntimeError("a round is closed before anything was drafted")
    return Round(
        draft=draft,
        verdict=state["verdict"],
        probes=state["probes"],
        nearest=state["nearest"],
        ruling=ruling,
    )
