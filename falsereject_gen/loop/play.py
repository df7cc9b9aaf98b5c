"""Plays the loop of one brief after another: a walk over the table of steps, and no more.

LangGraph could walk it too (`graph.py` compiles the same table), but its bookkeeping for
checkpoints, streams and callbacks, none of which a run uses, cost more than everything else that a
run does between two calls (benchmarks/step_cost.py).
"""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from falsereject_gen.loop.routes import END
from falsereject_gen.loop.state import LoopState, start
from falsereject_gen.loop.steps import FIRST, steps
from falsereject_gen.records import Brief, Candidate
from falsereject_gen.roles.protocols import Cast, Duplicates
from falsereject_gen.settings import LoopSettings

__all__ = ["Loop", "build_loop", "candidate"]

Loop = Callable[[Brief], Awaitable[Candidate]]


def build_loop(cast: Cast, duplicates: Duplicates, limits: LoopSettings) -> Loop:
    """Configure the loop once; the result plays one brief to its end.

    Args:
        cast: who plays the roles.
        duplicates: compares with rows, seeds and references in the order of the run.
        limits: rounds and the acceptance rule.
    """
    table = steps(cast, duplicates, limits)

    async def play(brief: Brief) -> Candidate:
        state, at = start(brief), FIRST
        while at != END:
            step = table[at]
            state = _changed(state, await step.node(state))
            at = step.next(state)
        return candidate(state)

    return play


def candidate(state: LoopState) -> Candidate:
    """What became of a brief, from the state in which its loop ended."""
    rounds = state["rounds"]
    ruling = rounds[-1].ruling
    reason = ruling.reason
    if ruling.decision == "revise":
        reason = f"given up after {len(rounds)} rounds: {reason}"
    return Candidate(
        brief=state["brief"],
        rounds=rounds,
        status="accepted" if ruling.decision == "accept" else "rejected",
        stage=ruling.stage,
        reason=reason,
    )


def _changed(state: LoopState, keys: dict[str, Any]) -> LoopState:
    return cast(LoopState, {**state, **keys})
