"""Generate prompts that look toxic and are benign, with proof of both.

`run(settings)` is the main job; everything heavy is imported when it is first used.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from falsereject_gen.errors import FalseRejectError
    from falsereject_gen.job import run
    from falsereject_gen.run.result import RunResult
    from falsereject_gen.settings import RunSettings, load_settings

__version__ = "0.1.0"

__all__ = ["FalseRejectError", "RunResult", "RunSettings", "load_settings", "run"]

_WHERE = {
    "FalseRejectError": "falsereject_gen.errors",
    "RunResult": "falsereject_gen.run.result",
    "RunSettings": "falsereject_gen.settings",
    "load_settings": "falsereject_gen.settings",
    "run": "falsereject_gen.job",
}


class _Room(ModuleType):
    """The room `run/`, which can be called like the function whose name it has."""

    def __call__(self, *args: Any, **given: Any) -> Any:
        return __getattr__("run")(*args, **given)


class _Package(ModuleType):
    """Lets `frg.run(…)` be called whether or not the room `run/` has been imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "run" and isinstance(value, ModuleType):
            value.__class__ = _Room
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562)."""
    if name not in _WHERE:
        raise AttributeError(f"module 'falsereject_gen' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - lazy by design

    return getattr(import_module(_WHERE[name]), name)
