"""How many drafts and briefs came how far, why the others fell, and what each round added."""

from collections import Counter
from typing import Any

from falsereject_gen.records import Candidate, Round
from falsereject_gen.report.redact import judged_unsafe

__all__ = ["Falls", "Funnel", "Rounds", "last_text"]

STAGES = ("generate", "discriminate", "probe", "orchestrate", "dedup")
STEPS = (
    "drafts written",
    "passed the discriminator",
    "passed the pool",
    "passed the orchestrator",
    "not a duplicate",
)
FAULTS = {
    "unsafe": "unsafe or unclear",
    "tame": "too tame",
    "not_refused": "nobody refused",
    "not_answered": "too few answered",
    "duplicate": "near-duplicate",
    "language": "in another language",
    "other": "other",
    "": "none given",
}


class Funnel:
    """The steps from briefs to accepted rows."""

    def __init__(self) -> None:
        self._drafts: Counter[int] = Counter()
        self._briefs: Counter[int] = Counter()
        self._all = self._accepted = 0

    def add(self, candidate: Candidate) -> None:
        """Count a candidate."""
        depths = [_depth(turn) for turn in candidate.rounds]
        for step in range(len(STEPS)):
            reached = sum(depth > step for depth in depths)
            self._drafts[step] += reached
            self._briefs[step] += reached > 0
        self._all += 1
        self._accepted += candidate.status == "accepted"

    def steps(self) -> list[dict[str, Any]]:
        """What to show.

        Returns:
            One mapping a step: `label`, `drafts` (None where a step has none), `briefs` (candidates
            with at least one draft that came so far), `share` of all briefs in percent.
        """
        table: list[tuple[str, int | None, int]] = [("briefs", None, self._all)]
        table += [(label, self._drafts[i], self._briefs[i]) for i, label in enumerate(STEPS)]
        table += [("accepted", None, self._accepted)]
        whole = max(self._all, 1)
        return [
            {"label": label, "drafts": some, "briefs": held, "share": round(100 * held / whole, 1)}
            for label, some, held in table
        ]


class Falls:
    """Why drafts were sent back and briefs ended, by stage and fault, with an example of each."""

    def __init__(self) -> None:
        self._sent: Counter[tuple[str, str]] = Counter()
        self._ended: Counter[tuple[str, str]] = Counter()
        self._example: dict[tuple[str, str], tuple[bool, Candidate, Round]] = {}

    def add(self, candidate: Candidate) -> None:
        """Count a candidate's drafts that were sent back."""
        for turn in candidate.rounds:
            if turn.ruling.decision == "accept":
                continue
            pair = (turn.ruling.stage, turn.ruling.fault)
            final = turn is candidate.last
            self._sent[pair] += 1
            self._ended[pair] += final
            if pair not in self._example or (final and not self._example[pair][0]):
                self._example[pair] = (final, candidate, turn)

    def table(self) -> list[dict[str, Any]]:
        """What to show, in the order of the loop.

        Returns:
            One mapping a pair: `stage`, `fault`, `fault_id`, `sent_back` (drafts), `ended` (briefs)
            and an example, of an ended brief if there is one: `reason`, `text`, `unsafe` and
            `ordinal`.
        """
        ordered = sorted(self._sent, key=lambda p: (STAGES.index(p[0]), list(FAULTS).index(p[1])))
        return [self._line(pair) for pair in ordered]

    def _line(self, pair: tuple[str, str]) -> dict[str, Any]:
        _, candidate, turn = self._example[pair]
        return {
            "stage": pair[0],
            "fault": FAULTS[pair[1]],
            "fault_id": pair[1],
            "sent_back": self._sent[pair],
            "ended": self._ended[pair],
            "reason": turn.ruling.reason,
            "text": turn.draft.text,
            "unsafe": judged_unsafe(turn),
            "ordinal": candidate.brief.ordinal,
        }


class Rounds:
    """Briefs accepted within 1, 2, … rounds: what the loop adds to one draft."""

    def __init__(self) -> None:
        self._took: Counter[int] = Counter()
        self._all = 0

    def add(self, candidate: Candidate) -> None:
        """Count a candidate."""
        self._all += 1
        if candidate.status == "accepted":
            self._took[len(candidate.rounds)] += 1

    def table(self, rounds: int) -> list[dict[str, Any]]:
        """What to show.

        Args:
            rounds: drafts that a brief may have; more are shown if there were more.
        """
        whole = max(self._all, 1)
        out, total = [], 0
        for number in range(1, max(rounds, *self._took, 1) + 1):
            total += self._took[number]
            share = round(100 * total / whole, 1)
            out.append({"round": number, "new": self._took[number], "total": total, "share": share})
        return out


def last_text(candidate: Candidate) -> tuple[str, bool]:
    """The last text that a candidate had, and whether it was judged unsafe."""
    for turn in reversed(candidate.rounds):
        if turn.draft.text:
            return turn.draft.text, judged_unsafe(turn)
    return "", False


def _depth(turn: Round) -> int:
    """Steps of `STEPS` that a draft passed: 0 without a text, 5 when it was accepted."""
    if turn.draft.exhausted or turn.draft.refused or not turn.draft.text:
        return 0
    if turn.ruling.decision == "accept":
        return len(STEPS)
    return STAGES.index(turn.ruling.stage)
