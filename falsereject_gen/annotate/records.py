"""The nouns of annotation: items that people see, the key that they do not, and their answers.

An item's id comes from what is shown, so that it survives any tool; the key says which row or which
control stands behind it.
"""

from typing import Literal

from pydantic import Field

from falsereject_gen.records import Record, Strategy, Unit, content_id

__all__ = ["Answer", "Item", "ItemKind", "Key"]

ItemKind = Literal["row", "control-benign", "control-toxic", "attention"]


class Item(Record):
    """What an annotator sees of a row or a control: nothing that gives either away."""

    id: str
    prompt: str = Field(min_length=1)
    category: str = Field(description="Category id.")
    category_name: str
    domain: str

    @classmethod
    def make(cls, prompt: str, category: str, category_name: str, domain: str) -> "Item":
        """An item whose id is derived from prompt and category."""
        return cls(
            id=content_id("i", [prompt, category]),
            prompt=prompt,
            category=category,
            category_name=category_name,
            domain=domain,
        )


class Key(Record):
    """What stands behind an item; kept from annotators."""

    item: str
    kind: ItemKind = "row"
    row_id: str = Field(default="", description="Published row behind it; empty for controls.")
    expected: dict[str, str] = Field(
        default_factory=dict, description="Right answers by question name; empty for rows."
    )
    strategy: Strategy | Literal[""] = ""
    harm: Unit | None = Field(default=None, description="The automatic discriminator's harm.")
    looks_toxic: Unit | None = Field(default=None, description="Its toxic look.")


class Answer(Record):
    """What one annotator said of one item."""

    item: str
    annotator: str = Field(min_length=1)
    labels: dict[str, str] = Field(description="Answer by question name; empty when skipped.")
    note: str = ""
    skipped: bool = False
    flagged: bool = Field(default=False, description="The annotator wants somebody to look.")
    seconds: float | None = Field(default=None, ge=0, description="Time spent, where known.")
    at: str = Field(default="", description="When, ISO 8601 in UTC; empty where not known.")
    source: str = Field(default="", description="Tool or file that it came from.")
