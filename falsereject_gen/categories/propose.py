"""A category proposed by a model, tidied into a sheet that a person edits.

The agent is agents/category-drafter.yaml; it is played by the endpoints of the generator.
"""

from collections.abc import Sequence
from typing import Any

from falsereject_gen.categories.ask import slug
from falsereject_gen.categories.sheet import to_yaml
from falsereject_gen.errors import InputError, UsageError
from falsereject_gen.models.desk import Models, open_models
from falsereject_gen.roles.cast import players
from falsereject_gen.roles.spoken.agent import Agent
from falsereject_gen.roles.spoken.judges import number
from falsereject_gen.roles.spoken.replies import DraftCategoryReply
from falsereject_gen.rooms import Rooms
from falsereject_gen.run.endpoints import check_keys, endpoint_settings
from falsereject_gen.settings import RunSettings
from falsereject_gen.taxonomy import Taxonomy

__all__ = ["as_sheet", "propose"]


async def propose(
    topic: str, settings: RunSettings, rooms: Rooms, taxonomy: Taxonomy
) -> tuple[DraftCategoryReply, str]:
    """Ask for a category on a topic.

    Returns:
        The proposal, and the endpoint that made it.

    Raises:
        UsageError: no endpoint plays the generator, or its key is not set.
        ReplyError: no usable reply came, or the model declined.
    """
    if not topic.strip():
        raise InputError('say what the category is about: categories draft "drone hobbyists"')
    check_keys(settings, rooms)
    models = open_models(
        endpoint_settings(settings), rooms, store=None, **settings.budget.model_dump()
    )
    names = _speakers(settings)
    async with models:
        return await _ask(topic, names, models, rooms, taxonomy)


async def _ask(
    topic: str, names: Sequence[str], models: Models, rooms: Rooms, taxonomy: Taxonomy
) -> tuple[DraftCategoryReply, str]:
    agent = Agent("category-drafter", names, models, rooms)
    seed = number(topic)
    said = await agent.ask(
        DraftCategoryReply, seed, text=" ".join(topic.split()), categories=list(taxonomy)
    )
    return said, agent.endpoint(seed)


def as_sheet(said: DraftCategoryReply, by: str) -> tuple[dict[str, Any], str]:
    """The values of a category sheet, and the file for a person: a note first, then YAML."""
    entities: dict[str, dict[str, Any]] = {}
    for one in said.entities:
        word = " ".join(one.word.lower().split())
        if word:
            entities.setdefault(word, {"id": word, "kind": one.kind, "hot": one.hot})
    values = {
        "id": slug(said.id) or slug(said.name) or "draft",
        "name": said.name,
        "domain": said.domain,
        "definition": said.definition,
        "neighbours": _once(said.neighbours),
        "triggers": _once([word.lower() for word in said.triggers]),
        "seeds": _once(said.seeds),
        "entities": list(entities.values()),
    }
    note = (
        f"# Drafted by endpoint {by}: a proposal. Read every line, mend it, then: "
        "categories add FILE\n"
    )
    return values, note + to_yaml(values)


def _speakers(settings: RunSettings) -> tuple[str, ...]:
    names = tuple(name for name in players(settings, "generator") if name != "embedded")
    if not names:
        raise UsageError(
            "a draft needs a model: name one as for a spoken run, e.g. --set cast=spoken "
            "--set endpoints.default.base_url=URL --set endpoints.default.model=NAME, "
            "or --set roles.generator=[openai:NAME]"
        )
    return names


def _once(texts: Sequence[str]) -> list[str]:
    """Without blanks and repetitions."""
    tidy = (" ".join(text.split()) for text in texts)
    found: dict[str, str] = {}
    for text in tidy:
        if text:
            found.setdefault(text.casefold(), text)
    return list(found.values())
