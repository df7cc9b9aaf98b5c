"""Which texts of a run are not to be shown at once, and a candidate without them.

Leaving out is done on the records, before anything is counted or rendered, so that no later step
can let a text through.
"""

from falsereject_gen.records import Candidate, Draft, Neighbour, Round, Ruling, Verdict

__all__ = ["LEFT_OUT", "judged_unsafe", "redacted", "toxic_neighbour"]

LEFT_OUT = "(left out: judged unsafe)"


def judged_unsafe(turn: Round) -> bool:
    """Whether the text of a round was judged unsafe, or could not be judged benign."""
    if turn.ruling.fault == "unsafe":
        return True
    return turn.verdict is not None and turn.verdict.label != "benign"


def toxic_neighbour(nearest: Neighbour) -> bool:
    """Whether the neighbour's text is a toxic seed."""
    return nearest.among == "seeds"


def redacted(candidate: Candidate) -> Candidate:
    """The candidate without the texts judged unsafe, without what quotes them, without seeds.

    Scores, labels, stages and ids stay: the counts of a redacted page are those of the run.
    """
    rounds = tuple(_round(turn) for turn in candidate.rounds)
    reason = candidate.reason
    if judged_unsafe(candidate.last) and candidate.last.ruling.by != "gate":
        reason = LEFT_OUT
    return candidate.model_copy(update={"rounds": rounds, "reason": reason})


def _round(turn: Round) -> Round:
    nearest = turn.nearest
    if nearest is not None and toxic_neighbour(nearest):
        nearest = nearest.model_copy(update={"text": ""})
    if not judged_unsafe(turn):
        return turn.model_copy(update={"nearest": nearest})
    draft = Draft(
        text=LEFT_OUT if turn.draft.text else "",
        by=turn.draft.by,
        refused=turn.draft.refused,
        exhausted=turn.draft.exhausted,
    )
    probes = tuple(probe.model_copy(update={"text": ""}) for probe in turn.probes)
    return Round(
        draft=draft,
        verdict=_verdict(turn.verdict),
        probes=probes,
        nearest=nearest,
        ruling=_ruling(turn.ruling),
    )


def _verdict(verdict: Verdict | None) -> Verdict | None:
    if verdict is None:
        return None
    return verdict.model_copy(update={"reasons": (), "feedback": ""})


def _ruling(ruling: Ruling) -> Ruling:
    """The gate's reasons are numbers; anybody else's may quote the text."""
    return ruling if ruling.by == "gate" else ruling.model_copy(update={"reason": LEFT_OUT})
