"""What one model at one endpoint was found to accept: structured mode, parameter names, refusals.

Findings come from the text of refused requests; each is made once, remembered for the life of the
process and logged. Pure: nothing is sent here.
"""

import logging
import re
from dataclasses import dataclass, field
from typing import Any

from falsereject_gen.models.protocol import Structured
from falsereject_gen.models.retry import Fault

__all__ = ["Learned"]

log = logging.getLogger("falsereject_gen.models")

_ORDER: tuple[Structured, ...] = ("json_schema", "json_object", "fenced")
_SHAPE = re.compile(
    r"response_format|json[_ ]?schema|json[_ ]?object|structured output|guided|grammar", re.I
)
_UNWANTED = re.compile(
    r"unsupported|not support|not allowed|not permitted|unrecogni[sz]ed|unknown|unexpected|extra "
    r"|extra_|only the default|deprecated|cannot be|may not|invalid param",
    re.I,
)
_NEVER_DROPPED = {"model", "messages", "max_tokens", "max_completion_tokens", "response_format"}


@dataclass
class Learned:
    """Findings about one model at one endpoint.

    Attributes:
        name: endpoint and model, for the log.
        structured: how JSON replies are asked for; `auto` until something is known.
        proven: a structured reply has come in that mode.
        token_name: `max_tokens` or `max_completion_tokens`, once one was refused.
        dropped: sampling parameters that the model refuses.
        counts_tokens: the endpoint reports usage.
    """

    name: str
    structured: Structured = "auto"
    proven: bool = False
    token_name: str = ""
    dropped: set[str] = field(default_factory=set)
    counts_tokens: bool = True

    @property
    def mode(self) -> Structured:
        """The mode to use now."""
        return "json_schema" if self.structured == "auto" else self.structured

    def settle(self, mode: Structured) -> None:
        """A structured reply came in this mode: it is the one."""
        if not self.proven:
            self.structured, self.proven = mode, True
            log.info("%s: structured replies as %s", self.name, mode)

    def adapt(self, fault: Fault, sent: dict[str, Any], mode: Structured) -> bool:
        """Learn from a refused request; True if it is worth sending again, adapted.

        Args:
            fault: the refusal.
            sent: the body that was refused.
            mode: the structured mode it was in.
        """
        says = f"{fault.says} {fault.param} {fault.code}"
        if (
            "response_format" in sent
            and fault.kind in {"request", "server"}
            and _SHAPE.search(says)
        ):
            return self._lower(mode, fault.says)
        if fault.kind != "request":
            return False
        return self._rename(says, sent) or self._drop(says, fault.param, sent)

    def _lower(self, mode: Structured, why: str) -> bool:
        """Go down from a refused mode, unless another call has found that out already."""
        if self.mode == mode:
            self.structured, self.proven = below(mode), False
            log.warning(
                "%s: refuses %s (%s); goes on with %s", self.name, mode, why, self.structured
            )
        return True

    def _rename(self, says: str, sent: dict[str, Any]) -> bool:
        names = ("max_tokens", "max_completion_tokens")
        used = next((name for name in names if name in sent), None)
        if used is None or "max_completion_tokens" not in says or not _UNWANTED.search(says):
            return False
        other = names[1 - names.index(used)]
        if self.token_name == used:
            return False  # both names were refused: it is no question of names
        if self.token_name != other:
            self.token_name = other
            log.info("%s: takes %s, not %s", self.name, other, used)
        return True

    def _drop(self, says: str, param: str, sent: dict[str, Any]) -> bool:
        if not _UNWANTED.search(says):
            return False
        for name in sent.keys() - _NEVER_DROPPED:
            if name == param or re.search(rf"\b{re.escape(name)}\b", says):
                if name not in self.dropped:
                    self.dropped.add(name)
                    log.warning("%s: refuses %s; it is left out from now on", self.name, name)
                return True
        return False


def below(mode: Structured) -> Structured:
    """The next mode down; fenced text is the last."""
    return _ORDER[min(_ORDER.index(mode) + 1, 2)]
