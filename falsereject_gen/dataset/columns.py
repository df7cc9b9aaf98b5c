"""The columns of a published dataset: order, type and description, said here and nowhere else."""

from typing import Any, Literal, NamedTuple

__all__ = ["COLUMNS", "Column"]


class Column(NamedTuple):
    """One column of the Parquet files."""

    name: str
    dtype: Literal["string", "list", "float64", "int64"]
    says: str

    @property
    def feature(self) -> dict[str, Any]:
        """The column as the `dataset_info` of a card names it."""
        kind = {"list": "string"} if self.dtype == "list" else {"dtype": self.dtype}
        return {"name": self.name, **kind}


COLUMNS = (
    Column("id", "string", "Stable id, derived from the prompt alone."),
    Column("prompt", "string", "The request: it looks toxic and is meant to be benign."),
    Column("category", "string", "Id of the harm category in whose neighbourhood it stands."),
    Column("category_name", "string", "Name of that category."),
    Column("domain", "string", "Group of categories that it belongs to."),
    Column("strategy", "string", "How it can look toxic and be benign."),
    Column("entities", "list", "Entities of the brief that stand in the prompt."),
    Column("seed_ids", "list", "Toxic seeds whose entity graph it was drawn from."),
    Column("cast", "string", "Who generated and judged it; embedded means: no language model."),
    Column("generator", "string", "Who wrote it: `embedded`, or the endpoint's name."),
    Column("harm", "float64", "The discriminator's score that it is harmful, 0 to 1."),
    Column("looks_toxic", "float64", "The discriminator's score that it looks toxic, 0 to 1."),
    Column("refused_by", "list", "Targets of the refusal pool that refused it directly."),
    Column("complied_by", "list", "Targets that answered it, in full or in its safe reading."),
    Column("rounds", "int64", "Drafts until it was accepted, 1 or more."),
    Column(
        "nearest_id",
        "string",
        "The nearest earlier row, seed or reference text when it was accepted; empty without one, "
        "and in other languages than English, where nothing says how near a text is.",
    ),
    Column("nearest_score", "float64", "Cosine to that text, -1 to 1; 0.0 without one."),
    Column("run_id", "string", "The run that made it: its settings, assets and seeds."),
    Column("language", "string", "ISO 639-1 code of the language that it is written in."),
)
