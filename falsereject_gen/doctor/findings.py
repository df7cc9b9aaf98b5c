"""What the doctor says: one finding a check, and what to do where something is wrong."""

from typing import Any, Literal

from pydantic import Field

from falsereject_gen.records import Record

__all__ = ["Examination", "Finding"]


class Finding(Record):
    """One check of one thing."""

    subject: str = Field(description="Name of an endpoint, or `embedded`.")
    check: str
    state: Literal["ok", "note", "problem", "not checked"]
    found: str = ""
    advice: str = Field(default="", description="What to do; on problems and notes.")


class Examination(Record):
    """All findings on a configuration."""

    endpoints: tuple[dict[str, Any], ...] = Field(description="name, base_url, model, played.")
    findings: tuple[Finding, ...]

    @property
    def problems(self) -> tuple[Finding, ...]:
        """What has to be mended before a run."""
        return tuple(one for one in self.findings if one.state == "problem")
