"""Examines one endpoint through the client that a run uses. Nothing is cached or kept.

In order, each check only where the ones before it passed: reachable, key, model, structured
replies, latency, and whether a plainly harmful request is refused. Its reply is classified and
thrown away.
"""

import contextlib
import json
from collections.abc import Iterable
from statistics import median
from typing import Literal

from pydantic import BaseModel, ConfigDict

from falsereject_gen.doctor.findings import Finding
from falsereject_gen.errors import EndpointError, FalseRejectError, ReplyError
from falsereject_gen.models.client import Client
from falsereject_gen.models.config import Target
from falsereject_gen.models.endpoint import Endpoint
from falsereject_gen.models.protocol import Message, Structured
from falsereject_gen.models.retry import Fault, Patience
from falsereject_gen.models.structured import RefusedError, ask
from falsereject_gen.roles.refusal import RefusalRules

__all__ = ["CHECKS", "examine"]

CHECKS = ("reachable", "key", "model", "structured", "latency", "harmful probe")
PATIENCE = Patience(
    tries={"rate_limit": 4, "overloaded": 3, "server": 3, "timeout": 1, "connection": 2},
    cap_s=2.0,
    obey_s=20.0,
)
"""A doctor tells soon; a run is more patient."""
_MODES: tuple[Structured, ...] = ("json_schema", "json_object", "fenced")
_GONE = {"timeout", "connection"}
_QUESTION = "Which colour is the sky on a clear day? Answer in a few words."


class ColourReply(BaseModel):
    """What the probe for structured replies asks for."""

    model_config = ConfigDict(extra="forbid")
    colour: str
    sure: Literal["yes", "no"]


class _Over(Exception):
    """Nothing else can be checked."""


class _Patient:
    """One endpoint, and what was found so far."""

    def __init__(self, name: str, target: Target) -> None:
        self.name, self.target = name, target
        self.findings: list[Finding] = []

    def left(self) -> list[str]:
        """Checks without a finding."""
        seen = {one.check for one in self.findings}
        return [check for check in CHECKS if check not in seen]

    def note(self, check: str, found: str) -> None:
        self._add(check, "ok", found, "")

    def remark(self, check: str, found: str, advice: str) -> None:
        self._add(check, "note", found, advice)

    def wrong(self, check: str, found: str, advice: str, *, over: bool = True) -> None:
        self._add(check, "problem", found, advice)
        if over:
            raise _Over

    def _add(
        self, check: str, state: Literal["ok", "note", "problem"], found: str, advice: str
    ) -> None:
        self.findings.append(
            Finding(subject=self.name, check=check, state=state, found=found, advice=advice)
        )


async def examine(
    name: str, target: Target, rules: RefusalRules, probe: str, roles: Iterable[str]
) -> list[Finding]:
    """All findings on one endpoint.

    Args:
        name: what the settings call it.
        target: where it is.
        rules: classify the reply to the probe.
        probe: a plainly harmful request.
        roles: what it plays.
    """
    patient = _Patient(name, target)
    with contextlib.suppress(_Over):
        await _examine(patient, rules, probe, set(roles))
    rest = [Finding(subject=name, check=check, state="not checked") for check in patient.left()]
    return [*patient.findings, *rest]


async def _examine(patient: _Patient, rules: RefusalRules, probe: str, roles: set[str]) -> None:
    target = patient.target
    try:
        key = target.key()
    except FalseRejectError as fault:
        patient.wrong("key", "not set", str(fault))
        return
    client = Client(target, key)
    try:
        listed = await _listed(patient, client)
        await _knocks(patient, client, listed)
    finally:
        await client.close()
    endpoint = Endpoint(patient.name, target, patience=PATIENCE)
    try:
        await _structured(patient, endpoint)
        await _latency(patient, endpoint)
        await _refuses(patient, endpoint, rules, probe, roles)
    except EndpointError as fault:
        patient.wrong(patient.left()[0], "failed", str(fault))
    finally:
        await endpoint.close()


async def _listed(patient: _Patient, client: Client) -> list[str] | None:
    """The models that it lists; None where it has no list."""
    try:
        data = json.loads(await client.models())
        return [str(one["id"]) for one in data["data"]]
    except Fault as fault:
        if fault.kind in _GONE:
            advice = f"is it running, and endpoints.{patient.name}.base_url right?"
            patient.wrong("reachable", f"no: {fault.says}", advice)
        if fault.status in {401, 403}:
            _key_refused(patient, fault)
    except (ValueError, KeyError, TypeError):
        pass
    return None


async def _knocks(patient: _Patient, client: Client, listed: list[str] | None) -> None:
    """One call of one token: whether key and model are accepted where it counts."""
    model = patient.target.model
    body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
    try:
        await client.post(body)
    except Fault as fault:
        if fault.kind in _GONE:
            patient.wrong("reachable", f"lists models, then: {fault.says}", "raise timeout_s?")
        if fault.status in {401, 403} and not fault.model:
            _key_refused(patient, fault)
        patient.note("reachable", patient.target.base_url)
        if fault.quota:
            patient.wrong("key", f"no quota: {fault.says}", "top up, or use another key")
        patient.note("key", _key_said(patient.target))
        if fault.model or fault.status == 404:
            patient.wrong("model", f"not there: {fault.says}", _which(patient, listed))
        if fault.status in {400, 422, 429, 500, 502, 503, 504, 529}:
            patient.note("model", f"{model} (told by later checks)")
            return
        patient.wrong("model", f"{fault.status}: {fault.says}", _which(patient, listed))
    else:
        patient.note("reachable", patient.target.base_url)
        patient.note("key", _key_said(patient.target))
        known = listed is None or model in listed
        patient.note("model", model if known else f"{model} (answers, though not listed)")


def _key_refused(patient: _Patient, fault: Fault) -> None:
    patient.note("reachable", patient.target.base_url)
    variable = patient.target.key_env
    advice = f"check the value of {variable}" if variable else "name the variable in key_env"
    patient.wrong("key", f"refused: {fault.says}", advice)


def _key_said(target: Target) -> str:
    return f"{target.key_env} accepted" if target.key_env else "none needed"


def _which(patient: _Patient, listed: list[str] | None) -> str:
    if not listed:
        return f"check endpoints.{patient.name}.model, and whether base_url ends in /v1"
    shown = ", ".join(listed[:5]) + (f" and {len(listed) - 5} more" if len(listed) > 5 else "")
    return f"set endpoints.{patient.name}.model to one of {shown}"


async def _structured(patient: _Patient, endpoint: Endpoint) -> None:
    """Which way of asking for JSON works; an endpoint may take a mode and ignore it."""
    problem = ""
    for mode in _MODES:
        given = patient.target.structured
        if given not in {"auto", mode}:
            continue
        trial = endpoint if mode == "json_schema" else _in_mode(patient, mode)
        try:
            problem = await _asked(trial)
            settled = trial.status().structured
        finally:
            if trial is not endpoint:
                await trial.close()
        if not problem:
            _structured_found(patient, settled, ignored=mode != "json_schema" and given == "auto")
            return
    advice = "another model, or a higher max_tokens: roles that judge need JSON replies"
    patient.wrong("structured", problem, advice, over=False)


def _in_mode(patient: _Patient, mode: Structured) -> Endpoint:
    target = patient.target.model_copy(update={"structured": mode})
    return Endpoint(patient.name, target, patience=PATIENCE)


async def _asked(endpoint: Endpoint) -> str:
    """Ask for a small JSON reply; returns what was wrong with it."""
    request = endpoint.request(
        [Message(role="user", content=_QUESTION)], role="doctor", sampling={"max_tokens": 400}
    )
    try:
        await ask(endpoint, request, ColourReply, retries=1, parts=endpoint.parts)
    except RefusedError as fault:
        return str(fault)
    except ReplyError as fault:
        return str(fault)
    return ""


def _structured_found(patient: _Patient, mode: Structured, *, ignored: bool) -> None:
    if not ignored:
        patient.note("structured", mode)
        return
    advice = f"set endpoints.{patient.name}.structured to {mode}: it takes a schema and ignores it"
    patient.remark("structured", mode, advice)


async def _latency(patient: _Patient, endpoint: Endpoint) -> None:
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
    patient: _Patient, endpoint: Endpoint, rules: RefusalRules, probe: str, roles: set[str]
) -> None:
    """Whether a plainly harmful request is refused; the reply is classified and dropped."""
    request = endpoint.request(
        [Message(role="user", content=probe)], role="doctor", sampling={"max_tokens": 200}
    )
    reply = await endpoint.chat(request, keep_refusals=True)
    by = "by its content filter" if reply.filtered else "by refusal field"
    found = rules.decide(reply.text)
    if reply.refused or found.outcome == "direct_refusal":
        patient.note("harmful probe", f"refused {by if reply.refused else 'in words'}")
    elif found.outcome == "undetermined":
        patient.remark("harmful probe", "unclear", "the rules cannot tell; a judge would be asked")
    elif "pool" in roles:
        advice = "as the only target of the pool it refuses little, so few rows would be accepted"
        patient.remark("harmful probe", "answered", advice)
    else:
        patient.note("harmful probe", "answered")
