"""At an endpoint's door: is it there, is the key accepted, is the model known.

One try each and no patience: what a server says at once is what is wanted here.
"""

import json
from typing import Any

from falsereject_gen.doctor.patient import Patient
from falsereject_gen.models.client import Client
from falsereject_gen.models.config import Target
from falsereject_gen.models.retry import Fault

__all__ = ["knock"]

_GONE = {"timeout", "connection"}
_LATER = {400, 422, 429, 500, 502, 503, 504, 529}
"""Statuses that the real client knows how to live with; the later checks will tell."""


async def knock(patient: Patient, key: str | None) -> None:
    """List the models and make one call of one token.

    Raises:
        Over: nothing else can be checked.
    """
    client = Client(patient.target, key)
    try:
        await _knocks(patient, client, await _listed(patient, client))
    finally:
        await client.close()


async def _listed(patient: Patient, client: Client) -> list[str] | None:
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


async def _knocks(patient: Patient, client: Client, listed: list[str] | None) -> None:
    """One call of one token: whether key and model are accepted where it counts."""
    model = patient.target.model
    body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
    try:
        await _posted(client, body)
    except Fault as fault:
        if fault.kind in _GONE:
            found = f"a call failed: {fault.says}"
            patient.wrong("reachable", found, _gone(patient, fault))
        if fault.status in {401, 403} and not fault.model:
            _key_refused(patient, fault)
        patient.note("reachable", patient.target.base_url)
        if fault.quota:
            patient.wrong("key", f"no quota: {fault.says}", "top up, or use another key")
        patient.note("key", _key_said(patient.target))
        if fault.model or fault.status == 404:
            patient.wrong("model", f"not there: {fault.says}", _which(patient, listed))
        if fault.status in _LATER:
            patient.note("model", f"{model} (told by later checks)")
            return
        patient.wrong("model", f"{fault.status}: {fault.says}", _which(patient, listed))
    else:
        patient.note("reachable", patient.target.base_url)
        patient.note("key", _key_said(patient.target))
        known = listed is None or model in listed
        patient.note("model", model if known else f"{model} (answers, though not listed)")


async def _posted(client: Client, body: dict[str, Any]) -> None:
    """Make the call; once more where its connection was one that the server had closed.

    A server that fails to list its models (a 500 of uvicorn) hangs up behind that answer.
    """
    try:
        await client.post(body)
    except Fault as fault:
        if fault.kind != "connection":
            raise
        await client.post(body)


def _gone(patient: Patient, fault: Fault) -> str:
    if fault.kind == "timeout":
        return f"raise endpoints.{patient.name}.timeout_s?"
    return "it closes connections; what does its own log say?"


def _key_refused(patient: Patient, fault: Fault) -> None:
    patient.note("reachable", patient.target.base_url)
    variable = patient.target.key_env
    advice = f"check the value of {variable}" if variable else "name the variable in key_env"
    patient.wrong("key", f"refused: {fault.says}", advice)


def _key_said(target: Target) -> str:
    return f"{target.key_env} accepted" if target.key_env else "none needed"


def _which(patient: Patient, listed: list[str] | None) -> str:
    if not listed:
        return f"check endpoints.{patient.name}.model, and whether base_url ends in /v1"
    shown = ", ".join(listed[:5]) + (f" and {len(listed) - 5} more" if len(listed) > 5 else "")
    return f"set endpoints.{patient.name}.model to one of {shown}"
