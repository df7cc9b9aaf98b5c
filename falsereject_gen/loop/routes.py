"""Where a brief goes next: pure functions of the state."""

from collections.abc import Callable
from typing import Final, Literal

from falsereject_gen.loop.state import LoopState

__all__ = [
    "END",
    "after_close",
    "after_discriminate",
    "after_generate",
    "after_orchestrate",
    "after_probe",
]

END: Final = "__end__"
"""The name that LangGraph has for the end, too."""


def after_generate(state: LoopState) -> Literal["discriminate", "close"]:
    """A draft is judged; no draft ends the turn."""
    return "close" if state["ruling"] else "discriminate"


def after_discriminate(state: LoopState) -> Literal["probe", "close"]:
    """Benign and toxic-looking goes to the refusal pool."""
    return "close" if state["ruling"] else "probe"


def after_probe(state: LoopState) -> Literal["orchestrate", "close"]:
    """Refused by some and answered by some goes to the orchestrator."""
    return "close" if state["ruling"] else "orchestrate"


def after_orchestrate(state: LoopState) -> Literal["dedup", "close"]:
    """An accepted text is compared with what is already there."""
    ruling = state["ruling"]
    return "dedup" if ruling and ruling.decision == "accept" else "close"


def after_close(rounds: int) -> Callable[[LoopState], Literal["generate", "__end__"]]:
    """A turn to be revised goes back to the generator while `rounds` allows."""

    def route(state: LoopState) -> Literal["generate", "__end__"]:
        ruling = state["ruling"]
        again = ruling is not None and ruling.decision == "revise"
        return "generate" if again and len(state["rounds"]) < rounds else "__end__"

    return route
