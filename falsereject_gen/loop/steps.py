"""The loop as one table: what each step does, and what follows it.

Read twice: `play.py` walks it, for every brief of a run, and `graph.py` makes a LangGraph of it, to
be drawn and opened in LangGraph's tools.
"""

from collections.abc import Callable
from dataclasses import dataclass

from falsereject_gen.loop import nodes, routes
from falsereject_gen.loop.state import LoopState
from falsereject_gen.roles.protocols import Cast, Duplicates
from falsereject_gen.settings import LoopSettings

__all__ = ["FIRST", "Step", "steps"]

FIRST = "generate"
Route = Callable[[LoopState], str]


@dataclass(frozen=True)
class Step:
    """A node and where it leads: a route, or the name of the one step that follows."""

    node: nodes.Node
    then: Route | str

    def next(self, state: LoopState) -> str:
        """The name of the step that follows, or `routes.END`."""
        return self.then if isinstance(self.then, str) else self.then(state)


def steps(cast: Cast, duplicates: Duplicates, limits: LoopSettings) -> dict[str, Step]:
    """The steps of a brief's loop by name.

    Args:
        cast: who plays the roles.
        duplicates: compares with rows, seeds and references in the order of the run.
        limits: rounds and the acceptance rule.
    """
    return {
        "generate": Step(nodes.generate(cast.generator), routes.after_generate),
        "discriminate": Step(
            nodes.discriminate(cast.discriminator, limits), routes.after_discriminate
        ),
        "probe": Step(nodes.probe(cast.pool, limits), routes.after_probe),
        "orchestrate": Step(nodes.orchestrate(cast.orchestrator), routes.after_orchestrate),
        "dedup": Step(nodes.deduplicate(duplicates), "close"),
        "close": Step(nodes.close(), routes.after_close(limits.rounds)),
    }
