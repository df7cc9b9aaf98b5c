"""Examines one endpoint through the client that a run uses. Nothing is cached or kept.

In order, each check only where the ones before it passed: reachable, key, model, structured
replies, latency, and whether a plainly harmful request is refused. Its reply is classified and
thrown away.
"""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any

from falsereject_gen.doctor.door import knock
from falsereject_gen.doctor.findings import Finding
from falsereject_gen.doctor.patient import Over, Patient
from falsereject_gen.errors import EndpointError, FalseRejectError, ReplyError
from falsereject_gen.models.config import Target
from falsereject_gen.models.endpoint import Endpoint
from falsereject_gen.models.protocol import Message, Structured
from falsereject_gen.models.retry import Patience
from falsereject_gen.models.structured import ask
from falsereject_gen.roles.refusal import RefusalRules
from falsereject_gen.roles.spoken.replies import JudgeReply

__all__ = ["Questions", "examine"]

PATIENCE = Patience(
    tries={"rate_limit": 4, "overloaded": 3, "server": 3, "timeout": 1, "connection": 2},
    cap_s=2.0,
    obey_s=20.0,
)
"""A doctor tells soon; a run is more patient."""
_MODES: tuple[Structured, ...] = ("json_schema", "json_object", "fenced")
_QUESTION = "Which colour is the sky on a clear day? Answer in a few words."


@dataclass(frozen=True)
class Questions:
    """What every endpoint is asked.

    Attributes:
        judge: the refusal judge's own prompt, to see which structured mode works.
        sampling: the judge's.
        harmful: a plainly harmful request.
        rules: classify the reply to it.
    """

    judge: tuple[Message, ...]
    sampling: dict[str, Any]
    harmful: str
    rules: RefusalRules


async def examine(
    name: str, target: Target, questions: Questions, roles: Iterable[str]
) -> list[Finding]:
    """All findings on one endpoint.

    Args:
        name: what the settings call it.
        target: where it is.
        questions: what it is asked.
        roles: what it plays.
    """
    patient = Patient(name, target)
    with contextlib.suppress(Over):
        await _examine(patient, questions, set(roles))
    rest = [Finding(subject=name, check=check, state="not checked") for check in patient.left()]
    return [*patient.findings, *rest]


async def _examine(patient: Patient, questions: Questions, roles: set[str]) -> None:
    target = patient.target
    try:
        key = target.key()
    except FalseRejectError as fault:
        patient.wrong("key", "not set", str(fault))
        return
    await knock(patient, key)
    endpoint = Endpoint(patient.name, target, patience=PATIENCE)
    try:
        await _structured(patient, endpoint, questions)
        await _latency(patient, endpoint)
        await _refuses(patient, endpoint, questions, roles)
    except EndpointError as fault:
        patient.wrong(patient.left()[0], "failed", str(fault))
    finally:
        await endpoint.close()


async def _structured(patient: Patient, endpoint: Endpoint, questions: Questions) -> None:
    """Which way of asking for JSON works; an endpoint may take a mode and ignore it."""
    problem = ""
    for mode in _MODES:
        given = patient.target.structured
        if given not in {"auto", mode}:
            continue
        trial = endpoint if mode == "json_schema" else _in_mode(patient, mode)
        try:
            problem = await _asked(trial, questions)
            settled = trial.status().structured
        finally:
            if trial is not endpoint:
                await trial.close()
        if not problem:
            _structured_found(patient, settled, ignored=mode != "json_schema" and given == "auto")
            return
    advice = "another model, or a higher max_tokens: roles that judge need JSON replies"
    patient.wrong("structured", problem, advice, over=False)


def _in_mode(patient: Patient, mode: Structured) -> Endpoint:
    target = patient.target.model_copy(update={"structured": mode})
    return Endpoint(patient.name, target, patience=PATIENCE)


async def _asked(endpoint: Endpoint, questions: Questions) -> str:
    """Ask as the refusal judge is asked; returns what was wrong with the reply."""
    request = endpoint.request(questions.judge, role="doctor", sampling=questions.sampling)
    try:
        await ask(endpoint, request, JudgeReply, retries=1, parts=endpoint.parts)
    except ReplyError as fault:  # declined, or never in the shape
        return str(fault)
    return ""


def _structured_found(patient: Patient, mode: Structured, *, ignored: bool) -> None:
    if not ignored:
        patient.note("structured", mode)
        return
    advice = f"set endpoints.{patient.name}.structured to {mode}: it takes a schema and ignores it"
    patient.remark("structured", mode, advice)


async def _latency(patient: Patient, endpoint: Endpoint) -> None:
    seconds = []
    for attempt in range(3):
        request = endpoint.request(
            [Message(role="user", content=_QUESTION)],
            role="doctor",
            sampling={"max_tokens": 16},
            attempt=attempt,
        )
        seconds.append((await endpoint.chat(request)).latency_s)
    patient.note("latency", f"{median(seconds):.3f} s (median of 3 small calls)")


async def _refuses(
    patient: Patient, endpoint: Endpoint, questions: Questions, roles: set[str]
) -> None:
    """Whether a plainly harmful request is refused; the reply is classified and dropped."""
    request = endpoint.request(
        [Message(role="user", content=questions.harmful)],
        role="doctor",
        sampling={"max_tokens": 200},
    )
    reply = await endpoint.chat(request, keep_refusals=True)
    by = "by its content filter" if reply.filtered else "by refusal field"
    found = questions.rules.decide(reply.text)
    if reply.refused or found.outcome == "direct_refusal":
        patient.note("harmful probe", f"refused {by if reply.refused else 'in words'}")
    elif found.outcome == "undetermined":
        patient.remark("harmful probe", "unclear", "the rules cannot tell; a judge would be asked")
    elif "pool" in roles:
        advice = "as the only target of the pool it refuses little, so few rows would be accepted"
        patient.remark("harmful probe", "answered", advice)
    else:
        patient.note("harmful probe", "answered")
