"""Which endpoint a name means: settings and presets to a base URL, a model and a key variable.

Inert: nothing is connected here. Settings hold the *name* of an environment variable, never a key.
"""

import os
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from falsereject_gen.errors import RoomError, UsageError
from falsereject_gen.models.protocol import Structured
from falsereject_gen.rooms import Rooms

__all__ = ["EndpointSettings", "Preset", "Target", "load_presets", "parse_name", "resolve"]

PRESETS = "graphs/endpoints.yaml"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


def _variable(value: Any) -> Any:
    # A UsageError is no ValueError: pydantic lets it through, and what may be a key is not echoed.
    if value is not None and not (isinstance(value, str) and _VARIABLE.fullmatch(value)):
        raise UsageError(
            "key_env is the name of an environment variable, e.g. OPENAI_API_KEY; "
            "put the key into that variable, never into settings"
        )
    return value


KeyEnv = Annotated[str | None, BeforeValidator(_variable)]


class _Inert(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Price(_Inert):
    """Currency units per million tokens."""

    price_in: float = Field(ge=0)
    price_out: float = Field(ge=0)


class Preset(_Inert):
    """A named endpoint of graphs/endpoints.yaml."""

    base_url: str
    key_env: KeyEnv = None
    notes: str = ""
    structured: Structured = "auto"
    prices: dict[str, Price] = Field(default_factory=dict, description="By model.")


class EndpointSettings(_Inert):
    """One endpoint and model, as a user sets it: `endpoints.<name>.…`."""

    preset: str | None = Field(default=None, description="A name of graphs/endpoints.yaml.")
    base_url: str | None = Field(default=None, description="Wins over the preset's.")
    model: str = Field(description="Model, or `preset:model`.")
    key_env: KeyEnv = Field(
        default=None, description="Variable with the key; wins over the preset."
    )
    requests_per_minute: float | None = Field(default=None, gt=0)
    tokens_per_minute: float | None = Field(default=None, gt=0)
    concurrency: int = Field(default=64, ge=1, le=4096, description="Ceiling; adapts below it.")
    timeout_s: float = Field(default=120.0, gt=0, description="For one try, all of it.")
    price_in: float | None = Field(default=None, ge=0, description="Per million prompt tokens.")
    price_out: float | None = Field(default=None, ge=0, description="Per million reply tokens.")
    sampling: dict[str, Any] = Field(default_factory=dict, description="On top of the role's own.")
    structured: Structured = Field(default="auto", description="How JSON replies are asked for.")


class Target(_Inert):
    """An endpoint resolved: where, which model, which key variable, at which price."""

    base_url: str
    model: str
    key_env: str | None
    price_in: float | None
    price_out: float | None
    structured: Structured
    settings: EndpointSettings

    @property
    def prices(self) -> tuple[float, float] | None:
        """Of a million tokens in and out; None where no price was set."""
        if self.price_in is None and self.price_out is None:
            return None
        return self.price_in or 0.0, self.price_out or 0.0

    def key(self) -> str | None:
        """The key, straight from the environment; None where no key is sent.

        Raises:
            UsageError: the variable is not set.
        """
        if self.key_env is None:
            return None
        key = os.environ.get(self.key_env, "").strip()
        if not key:
            raise UsageError(
                f"{self.base_url}: set {self.key_env} to your key, or key_env to another variable"
            )
        return key


def load_presets(rooms: Rooms) -> dict[str, Preset]:
    """Presets of graphs/endpoints.yaml and of any graphs/endpoints/*.yaml beside it.

    Raises:
        RoomError: a preset is malformed, or two have one name.
    """
    found: dict[str, Preset] = {}
    for file in [PRESETS, *rooms.names("graphs/endpoints")]:
        for name, values in (rooms.yaml(file) or {}).items():
            if name in found:
                raise RoomError(f"{file}: endpoint `{name}` is defined twice")
            try:
                found[name] = Preset.model_validate(values)
            except ValidationError as fault:
                first = fault.errors()[0]
                where = ".".join(str(part) for part in first["loc"])
                raise RoomError(f"{file}: {name}.{where}: {first['msg']}") from None
    return found


def parse_name(name: str) -> EndpointSettings:
    """Settings that a model name such as `openai:gpt-4o-mini` or `ollama:llama3:8b` stands for.

    Raises:
        UsageError: it is not written as preset:model.
    """
    preset, colon, model = name.partition(":")
    if not (preset and colon and model):
        raise UsageError(f"model `{name}`: write it as preset:model, e.g. openai:gpt-4o-mini")
    return EndpointSettings(preset=preset, model=model)


def resolve(name: str, settings: EndpointSettings, presets: dict[str, Preset]) -> Target:
    """Work out where an endpoint is.

    Args:
        name: what the user calls it, for messages (`default` of `endpoints.default`).
        settings: as given.
        presets: those of `load_presets`.

    Raises:
        UsageError: no base URL, an unknown preset, or a URL that carries a secret.
    """
    label, model = settings.preset, settings.model
    head, colon, tail = model.partition(":")
    if label is None and settings.base_url is None and colon and head in presets:
        label, model = head, tail
    preset = _preset(name, label, presets)
    base_url = settings.base_url or (preset.base_url if preset else None)
    if base_url is None:
        raise UsageError(
            f"endpoints.{name}: set base_url, or preset to one of {', '.join(presets)}"
        )
    price = preset.prices.get(model) if preset else None
    fixed = preset.structured if preset and settings.structured == "auto" else settings.structured
    return Target(
        base_url=_clean_url(name, base_url),
        model=model,
        key_env=settings.key_env or _preset_key(settings, preset),
        price_in=price.price_in if settings.price_in is None and price else settings.price_in,
        price_out=price.price_out if settings.price_out is None and price else settings.price_out,
        structured=fixed,
        settings=settings,
    )


def _preset(name: str, label: str | None, presets: dict[str, Preset]) -> Preset | None:
    if label is None:
        return None
    if label not in presets:
        known = ", ".join(presets)
        raise UsageError(f"endpoints.{name}: no preset `{label}`; there are {known}")
    return presets[label]


def _preset_key(settings: EndpointSettings, preset: Preset | None) -> str | None:
    """The preset's key goes to the preset's host only; another base_url names its own."""
    return preset.key_env if preset and settings.base_url is None else None


def _clean_url(name: str, url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(f"endpoints.{name}.base_url: write it as http(s)://host[:port]/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError(
            f"endpoints.{name}.base_url: no user, password or query in it; put the key into a "
            "variable and name that as key_env"
        )
    return url.rstrip("/")
