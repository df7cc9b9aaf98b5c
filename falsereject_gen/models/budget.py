"""What was spent, by role and model, and the limits that end a run cleanly.

Money is in the currency of the configured prices. Replays from the call cache cost nothing and are
counted apart. A budget reserves what a call is expected to use, so that many calls under way at
once do not overrun it by their number.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

from falsereject_gen.errors import Stopped
from falsereject_gen.models.protocol import ChatReply

__all__ = ["Budget", "Reserve", "Spent", "Usage"]


@dataclass(slots=True)
class Spent:
    """Totals of one role on one model, or of a run."""

    calls: int = 0
    cached: int = 0
    failures: int = 0
    refusals: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0
    seconds: float = 0.0

    def add(self, other: "Spent") -> None:
        """Add another total to this one."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


class Usage:
    """Running totals by (role, model)."""

    def __init__(self) -> None:
        self.by: dict[tuple[str, str], Spent] = {}
        self.total = Spent()

    def of(self, role: str, model: str) -> Spent:
        """The total of one role on one model, to be read."""
        return self.by.setdefault((role, model), Spent())

    def answered(self, role: str, model: str, reply: ChatReply) -> None:
        """Count a finished call, or a replay."""
        for spent in (self.of(role, model), self.total):
            if reply.cached:
                spent.cached += 1
                continue
            spent.calls += 1
            spent.refusals += reply.refused
            spent.tokens_in += reply.tokens_in
            spent.tokens_out += reply.tokens_out
            spent.cost += reply.cost
            spent.seconds += reply.latency_s

    def failed(self, role: str, model: str, paid: ChatReply | None = None) -> None:
        """Count a failed try, and what it cost although it was of no use."""
        for spent in (self.of(role, model), self.total):
            spent.failures += 1
            if paid is not None:
                spent.tokens_in += paid.tokens_in
                spent.tokens_out += paid.tokens_out
                spent.cost += paid.cost

    def add(self, rows: Iterable[tuple[str, str, Spent]]) -> None:
        """Add totals that an earlier session left in the store."""
        for role, model, spent in rows:
            self.of(role, model).add(spent)
            self.total.add(spent)

    def rows(self) -> list[dict[str, Any]]:
        """One row a role and model, sorted, for manifest and report."""
        return [{"role": r, "model": m, **asdict(s)} for (r, m), s in sorted(self.by.items())]


@dataclass(slots=True)
class Reserve:
    """What a call under way is expected to use."""

    tokens: float
    cost: float


class Budget:
    """Limits in calls, tokens and money, over a run and all its resumptions; None means no limit.

    A call is one that was answered; tries that failed count with the tokens the endpoint charged.
    """

    def __init__(
        self,
        *,
        calls: int | None = None,
        tokens: int | None = None,
        money: float | None = None,
        usage: Usage | None = None,
    ) -> None:
        self.calls, self.tokens, self.money = calls, tokens, money
        self.usage = usage or Usage()
        self._open = 0
        self._tokens = self._cost = 0.0

    def reserve(self, tokens: float, cost: float) -> Reserve:
        """Make room for one call.

        Raises:
            Stopped: it would exceed a limit.
        """
        total = self.usage.total
        self._check("calls", self.calls, total.calls, self._open + 1)
        spent = total.tokens_in + total.tokens_out
        self._check("tokens", self.tokens, spent, self._tokens + tokens)
        self._check("money", self.money, total.cost, self._cost + cost)
        self._open += 1
        self._tokens += tokens
        self._cost += cost
        return Reserve(tokens, cost)

    def release(self, reserve: Reserve) -> None:
        """The call is over and counted in `usage`, or will not be made."""
        self._open -= 1
        self._tokens -= reserve.tokens
        self._cost -= reserve.cost

    def _check(self, name: str, limit: float | None, spent: float, open_: float) -> None:
        if limit is None or spent + open_ <= limit:
            return
        raise Stopped(
            f"budget.{name} of {limit:g} is spent ({spent:g} used, calls under way may "
            "use the rest); what is finished is in the "
            f"store. Raise budget.{name} and go on with --resume"
        )
