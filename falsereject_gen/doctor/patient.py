"""One endpoint under examination: what was found so far, in the order of the checks."""

from typing import Literal

from falsereject_gen.doctor.findings import Finding
from falsereject_gen.models.config import Target

__all__ = ["CHECKS", "Over", "Patient"]

CHECKS = ("reachable", "key", "model", "structured", "latency", "harmful probe")


class Over(Exception):
    """Nothing else can be checked."""


class Patient:
    """One endpoint, and what was found so far."""

    def __init__(self, name: str, target: Target) -> None:
        self.name, self.target = name, target
        self.findings: list[Finding] = []

    def left(self) -> list[str]:
        """Checks without a finding."""
        seen = {one.check for one in self.findings}
        return [check for check in CHECKS if check not in seen]

    def note(self, check: str, found: str) -> None:
        """It is as it should be."""
        """A check that is well."""
        self._add(check, "ok", found, "")

    def remark(self, check: str, found: str, advice: str) -> None:
        """Not wrong, but worth knowing."""
        """A check that is well, with something to know."""
        self._add(check, "note", found, advice)

    def wrong(self, check: str, found: str, advice: str, *, over: bool = True) -> None:
        """Something to mend.

        Raises:
            Over: nothing else can be checked, if `over`.
        """
        """A problem; `over` ends the checks of this patient."""
        self._add(check, "problem", found, advice)
        if over:
            raise Over

    def _add(
        self, check: str, state: Literal["ok", "note", "problem"], found: str, advice: str
    ) -> None:
        self.findings.append(
            Finding(subject=self.name, check=check, state=state, found=found, advice=advice)
        )
