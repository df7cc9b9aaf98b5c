"""The loop as a LangGraph, made of the table that a run walks: to be drawn, and opened in tools."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from langgraph.graph import START, StateGraph

from falsereject_gen.loop import nodes
from falsereject_gen.loop.state import LoopState
from falsereject_gen.loop.steps import FIRST, steps
from falsereject_gen.roles.protocols import Cast, Duplicates
from falsereject_gen.settings import LoopSettings

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

__all__ = ["compile_loop", "draw_loop"]


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
    graph.add_edge("open", FIRST)
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
    cast: Cast, duplicates: Duplicates, limits: LoopSettings, first: str = FIRST
) -> "StateGraph[LoopState]":
    graph = StateGraph(LoopState)
    for name, step in steps(cast, duplicates, limits).items():
        graph.add_node(name, step.node)
        if isinstance(step.then, str):
            graph.add_edge(name, step.then)
        else:
            graph.add_conditional_edges(name, step.then)
    graph.add_edge(START, first)
    return graph
