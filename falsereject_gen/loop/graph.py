"""The LangGraph of one brief. No checkpointer: the run store is the truth."""

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from langgraph.graph import END, START, StateGraph

from falsereject_gen.loop import nodes, routes
from falsereject_gen.loop.state import LoopState, start
from falsereject_gen.records import Brief, Candidate
from falsereject_gen.roles.protocols import Cast, Duplicates
from falsereject_gen.settings import LoopSettings

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

__all__ = ["build_loop", "compile_loop", "draw_loop"]

Loop = Callable[[Brief], Awaitable[Candidate]]
STEPS_A_ROUND = 6


def build_loop(cast: Cast, duplicates: Duplicates, limits: LoopSettings) -> Loop:
    """Configure the loop once; the result plays one brief to its end.

    Args:
        cast: who plays the roles.
        duplicates: compares with rows, seeds and references in the order of the run.
        limits: rounds and the acceptance rule.
    """
    graph = _wire(cast, duplicates, limits).compile()
    budget = {"recursion_limit": STEPS_A_ROUND * limits.rounds + 2}

    async def play(brief: Brief) -> Candidate:
        end = await graph.ainvoke(start(brief), budget)  # type: ignore[call-overload]
        rounds = end["rounds"]
        ruling = rounds[-1].ruling
        accepted = ruling.decision == "accept"
        reason = ruling.reason
        if ruling.decision == "revise":
            reason = f"given up after {len(rounds)} rounds: {reason}"
        return Candidate(
            brief=brief,
            rounds=rounds,
            status="accepted" if accepted else "rejected",
            stage=ruling.stage,
            reason=reason,
        )

    return play


def compile_loop(
    cast: Cast, duplicates: Duplicates, limits: LoopSettings, opening: nodes.Node
) -> "CompiledStateGraph[LoopState, Any, Any, Any]":
    """The loop as a graph that LangGraph's own tools can open and feed with JSON.

    Args:
        cast: who plays the roles.
        duplicates: compares texts.
        limits: rounds and the acceptance rule.
        opening: comes first, as node `open`: makes the state out of whatever was typed in.
    """
    graph = _wire(cast, duplicates, limits, first="open")
    graph.add_node("open", opening)
    graph.add_edge("open", "generate")
    return graph.compile(name="loop")


def draw_loop() -> str:
    """The loop as Mermaid text, drawn from the graph itself; kept in graphs/loop.mmd."""
    limits = LoopSettings(
        rounds=1,
        harm_max=1,
        toxic_min=0,
        min_refusals=0,
        min_compliances=0,
        patience=1,
        lookahead=1,
        spoken_lookahead=1,
    )
    nobody: Any = SimpleNamespace(
        generator=None, discriminator=None, pool=(), orchestrator=None, nearest=None
    )
    return str(_wire(nobody, nobody, limits).compile().get_graph().draw_mermaid())


def _wire(
    cast: Cast, duplicates: Duplicates, limits: LoopSettings, first: str = "generate"
) -> "StateGraph[LoopState]":
    graph = StateGraph(LoopState)
    graph.add_node("generate", nodes.generate(cast.generator))
    graph.add_node("discriminate", nodes.discriminate(cast.discriminator, limits))
    graph.add_node("probe", nodes.probe(cast.pool, limits))
    graph.add_node("orchestrate", nodes.orchestrate(cast.orchestrator))
    graph.add_node("dedup", nodes.deduplicate(duplicates))
    graph.add_node("close", nodes.close())
    graph.add_edge(START, first)
    graph.add_conditional_edges("generate", routes.after_generate)
    graph.add_conditional_edges("discriminate", routes.after_discriminate)
    graph.add_conditional_edges("probe", routes.after_probe)
    graph.add_conditional_edges("orchestrate", routes.after_orchestrate)
    graph.add_edge("dedup", "close")
    graph.add_conditional_edges("close", routes.after_close(limits.rounds), ["generate", END])
    return graph
