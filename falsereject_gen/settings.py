"""Settings as inert data: defaults of the loop come from graphs/loop.yaml, a knob is said once.

Order: loop.yaml, then `--config FILE`, then `--set key=value`. Unknown keys are refused by name.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from falsereject_gen.errors import InputError, UsageError
from falsereject_gen.records import Unit
from falsereject_gen.rooms import Rooms, parse_yaml

__all__ = ["BUNDLED", "Role", "RunSettings", "explain", "load_settings"]

BUNDLED = Path("bundled")
"""Stands for the bundled seeds among seed files."""

Role = Literal[
    "extractor",
    "ranker",
    "generator",
    "discriminator",
    "panel",
    "pool",
    "judge",
    "orchestrator",
]


class _Inert(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LoopSettings(_Inert):
    """Rounds and the acceptance rule."""

    rounds: int = Field(ge=1, le=20, description="Drafts a brief may have.")
    harm_max: Unit = Field(description="Accepted rows have harm below this.")
    toxic_min: Unit = Field(description="Accepted rows have looks_toxic above this.")
    min_refusals: int = Field(ge=0, description="Pool targets that must refuse.")
    min_compliances: int = Field(ge=0, description="Pool targets that must answer; 0 = off.")
    patience: int = Field(ge=1, description="Barren briefs after which a category is given up.")
    lookahead: int = Field(ge=1, le=100_000, description="Briefs under way at once, embedded cast.")
    spoken_lookahead: int = Field(
        ge=1, le=100_000, description="Briefs under way at once, with an endpoint."
    )


class GuardSettings(_Inert):
    """Thresholds of the three embedded guards."""

    lexical_min: float = Field(gt=0)
    neighbour_min: Unit
    strict_harm: Unit


class DedupSettings(_Inert):
    """Cosine from which a text counts as a near-duplicate."""

    rows_max: Unit
    seeds_max: Unit
    reference_max: Unit


class GraphSettings(_Inert):
    """How the graphs of all seeds become one, and what is measured on it."""

    merge_min: Unit = Field(
        description="Cosine from which two names that are spelled alike are one entity."
    )
    pivots: int = Field(ge=1, description="Sources that betweenness is estimated from.")


class SamplingSettings(_Inert):
    """How briefs are drawn from the entity graph."""

    graph: Literal["seed", "walk", "bridge", "coverage", "none"] = Field(
        description="Where a brief's entities come from: one seed's own graph; a random walk in "
        "the merged graph; a path to another category; the least used first; nowhere."
    )
    entities_min: int = Field(ge=1, description="Entities of a brief, where there are as many.")
    entities_max: int = Field(ge=1, le=12, description="Entities of a brief.")
    quotas: dict[str, int] = Field(
        default_factory=dict,
        description="Rows of a category by its id: it comes first until it has them, and gets no "
        "more; 0 leaves it out. Categories that are not named share the rest.",
    )
    generic_share: Unit = Field(
        default=0.25,
        description="In a category with readings: most of the briefs about unknown entities that "
        "generic readings may serve. A category without readings has nothing else.",
    )

    @model_validator(mode="after")
    def _possible(self) -> "SamplingSettings":
        low = [category for category, rows in self.quotas.items() if rows < 0]
        if low:
            raise ValueError(f"the quota of `{low[0]}` is below 0")
        if self.entities_min > self.entities_max:
            raise ValueError("entities_min is above entities_max")
        if self.graph in ("walk", "bridge") and self.entities_max < 2:
            raise ValueError(f"`{self.graph}` needs entities_max of 2 or more")
        return self


class OutputSettings(_Inert):
    """What is written of a run."""

    test_share: float = Field(default=0.1, ge=0, lt=1, description="Share of rows in `test`.")
    redact_unsafe: bool = Field(
        default=False, description="Leave out the text of candidates judged unsafe."
    )
    batch_size: int = Field(default=50, ge=0, description="Rows in the annotation batch; 0 = all.")


class AnnotationSettings(_Inert):
    """How `annotate export` draws a batch and what it mixes in."""

    overlap: int = Field(default=3, ge=1, description="People who see a row.")
    controls: float = Field(
        default=0.1, ge=0, le=0.5, description="Share of what a person sees that is a control."
    )
    attention: Unit = Field(
        default=0.2, description="Share of the controls that are attention items."
    )
    toxic_side: bool = Field(
        default=True, description="Mix in known toxic controls, with a content warning."
    )
    preannotate: bool = Field(
        default=False, description="Label Studio: the judge's opinion as prediction; not blind."
    )
    without: tuple[Path, ...] = Field(
        default=(), description="Batches whose rows are left out, such as the pilot."
    )


class BudgetSettings(_Inert):
    """Where a run with endpoints stops, over all its sittings; none: no limit."""

    calls: int | None = Field(default=None, ge=1, description="Answered calls.")
    tokens: int | None = Field(default=None, ge=1, description="Tokens, in and out.")
    money: float | None = Field(default=None, gt=0, description="In the currency of the prices.")


class RunSettings(_Inert):
    """Everything that decides what a run makes."""

    target: int = Field(default=220, ge=1, description="Accepted rows wanted.")
    seeds: tuple[Path, ...] = Field(default=(), description="Seed files; empty: the bundled ones.")
    reference: tuple[Path, ...] = Field(default=(), description="Sets no row may duplicate.")
    taxonomy: Path | None = Field(default=None, description="Taxonomy file, in place or on top.")
    seed: int = Field(default=0, ge=0, lt=2**63, description="Everything random comes from it.")
    cast: Literal["embedded", "spoken"] = Field(
        default="embedded", description="Who plays a role that `roles` does not name."
    )
    roles: dict[Role, tuple[str, ...]] = Field(
        default_factory=dict,
        description="Players of a role: `embedded`, a name of `endpoints`, or `preset:model`.",
    )
    endpoints: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Endpoints by name; `default` plays a spoken cast."
    )
    budget: BudgetSettings = Field(default_factory=lambda: BudgetSettings())
    extractor: str = Field(
        default="embedded",
        description="Who takes seeds apart: `embedded`; the name or path of an installed spaCy "
        "pipeline; `spoken`, the endpoints of `roles.extractor` (`default` if none is named), "
        "which are asked for all seeds before the first brief (`run` and `graph build`).",
    )
    loop: LoopSettings
    pool: tuple[str, ...] = Field(description="Guards of the embedded pool.")
    spoken_pool: tuple[str, ...] = Field(
        description="Cards agents/target-<name>.yaml that each endpoint of the pool plays."
    )
    guards: GuardSettings
    dedup: DedupSettings
    graph: GraphSettings
    sampling: SamplingSettings
    output: OutputSettings = OutputSettings()
    annotation: AnnotationSettings = AnnotationSettings()


def load_settings(
    config: Path | None = None,
    sets: Sequence[str] = (),
    rooms: Rooms | None = None,
    *,
    base: Mapping[str, Any] | None = None,
    **given: Any,
) -> RunSettings:
    """Resolve settings from loop.yaml, a config file, `key=value` pairs and keyword arguments.

    Args:
        config: YAML file with any of the keys of `RunSettings`.
        sets: pairs such as `loop.rounds=3`; values are read as YAML.
        rooms: where loop.yaml is read.
        base: settings that win over loop.yaml (those of a run that goes on).
        given: top-level values that win over all others; None means not given.

    Raises:
        UsageError: an unknown key or a value out of range, by its full name.
        InputError: the config file cannot be read.
    """
    values = _merge((rooms or Rooms()).yaml("graphs/loop.yaml"), dict(base or {}))
    if config is not None:
        values = _merge(values, _read_config(config))
    for pair in sets:
        key, sign, value = pair.partition("=")
        if not sign or not key:
            raise UsageError(f"--set {pair}: write it as key=value, e.g. --set loop.rounds=3")
        values = _merge(values, _nest(key, parse_yaml(value, f"--set {key}")))
    values = _merge(values, {k: v for k, v in given.items() if v is not None})
    try:
        return RunSettings.model_validate(values)
    except ValidationError as fault:
        raise UsageError(explain(fault, RunSettings)) from None


def _read_config(path: Path) -> dict[str, Any]:
    try:
        values = parse_yaml(path.read_text(encoding="utf-8-sig"), str(path))
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(f"the config cannot be read: {fault}", path=path) from None
    if values is not None and not isinstance(values, dict):
        raise InputError("a config is a mapping of settings, one `key: value` a line", path=path)
    return values or {}


def _nest(key: str, value: Any) -> dict[str, Any]:
    for part in reversed(key.split(".")):
        value = {part: value}
    return dict(value)


def _merge(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    out = dict(base)
    for key, value in top.items():
        old = out.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        out[key] = _merge(old, value) if both else value  # type: ignore[arg-type]
    return out


def explain(fault: ValidationError, model: Any, prefix: str = "") -> str:
    """One line for the first fault of a settings model, with the keys that are known there."""
    first = fault.errors()[0]
    name = ".".join(str(part) for part in (prefix, *first["loc"]) if part != "")
    if first["type"] == "extra_forbidden":
        return f"unknown setting `{name}`; known here: {', '.join(_known(model, first['loc']))}"
    return f"setting `{name}`: {first['msg']} (got {first['input']!r})"


def _known(model: Any, loc: tuple[int | str, ...]) -> list[str]:
    for part in loc[:-1]:
        model = model.model_fields[part].annotation
    return sorted(model.model_fields)
