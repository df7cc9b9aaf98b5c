"""What a manifest counts of a run's candidates, in one go through them."""

from collections import Counter, defaultdict

from falsereject_gen.records import Candidate
from falsereject_gen.roles.embedded.generic import PREFIX

__all__ = ["Account"]


class Account:
    """Counts candidates one by one and keeps none."""

    def __init__(self) -> None:
        self._ended: Counter[tuple[str, int]] = Counter()
        self._refused: Counter[str] = Counter()
        self._categories: Counter[str] = Counter()
        self._languages: Counter[str] = Counter()
        self._bare: Counter[str] = Counter()
        self._slips: dict[str, Counter[str]] = defaultdict(Counter)
        self.generic_rows = 0

    def add(self, candidate: Candidate) -> None:
        """Count a candidate."""
        self._ended[candidate.status, len(candidate.rounds)] += 1
        self._refused.update(t.draft.by for t in candidate.rounds if t.draft.refused)
        language = candidate.brief.language
        self._bare[language] += not candidate.brief.entities
        for turn in candidate.rounds:
            if turn.ruling.fault == "language":
                self._slips[turn.draft.by][f"{turn.draft.language} instead of {language}"] += 1
        if candidate.status == "accepted":
            self._languages[language] += 1
            self._categories[candidate.brief.category] += 1
            reading = candidate.last.draft.notes.get("reading", "")
            self.generic_rows += reading.startswith(PREFIX)

    def by_category(self) -> dict[str, int]:
        """Accepted rows of each category."""
        return dict(sorted(self._categories.items()))

    def by_language(self) -> dict[str, int]:
        """Accepted rows of each language."""
        return dict(sorted(self._languages.items()))

    def without_entities(self) -> dict[str, int]:
        """Briefs of each language that named no entities: the planner had none to draw."""
        return dict(sorted((+self._bare).items()))

    def other_language(self) -> dict[str, dict[str, int]]:
        """Drafts that were sent back for their language, by who wrote them: `en instead of zh`."""
        return {who: dict(sorted(found.items())) for who, found in sorted(self._slips.items())}

    def generator_refusals(self) -> dict[str, int]:
        """Rounds in which a generator itself declined, by who it was."""
        return dict(sorted(self._refused.items()))

    def acceptance_by_round(self) -> list[dict[str, float]]:
        """Share of briefs accepted after one round, two rounds, …: the loop at work."""
        out, so_far, total = [], 0, self._ended.total()
        for rounds in range(1, max((n for _, n in self._ended), default=0) + 1):
            so_far += self._ended["accepted", rounds]
            share = round(so_far / total, 4)
            out.append({"rounds": rounds, "accepted": so_far, "share": share})
        return out
