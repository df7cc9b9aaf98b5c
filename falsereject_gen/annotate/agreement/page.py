"""The result as one self-contained page: no script, no network, light and dark.

Names, categories and notes are data: autoescaped. Charts are drawn in the template from numbers.
"""

import json
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from falsereject_gen.annotate.agreement.records import REASONS, Agreement, Estimate
from falsereject_gen.annotate.agreement.words import NAMES, figure, gold, rank, why
from falsereject_gen.files import replace_file

__all__ = ["page", "write_agreement"]


def write_agreement(agreement: Agreement, folder: Path) -> tuple[Path, Path]:
    """Write agreement.html and agreement.json; the same result gives the same bytes.

    Raises:
        StoreError: they cannot be written; what was there is untouched.
    """
    html, data = folder / "agreement.html", folder / "agreement.json"
    replace_file(html, [page(agreement).encode()])
    text = json.dumps(agreement.model_dump(mode="json"), indent=1, ensure_ascii=False)
    replace_file(data, [f"{text}\n".encode()])
    return html, data


def page(agreement: Agreement) -> str:
    """The page as HTML."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"figure": figure, "gold": gold, "why": why, "x": _x}
    template = environment.from_string(_asset("page.html.j2"))
    categories = {
        question: sorted(
            (one for one in agreement.groups if one.category and one.question == question),
            key=lambda one: (rank(one), one.category),
        )
        for question in dict.fromkeys(one.question for one in agreement.groups)
    }
    return template.render(
        result=agreement,
        names=NAMES,
        reasons=REASONS,
        overall=[one for one in agreement.groups if not one.category],
        categories=categories,
        css=Markup(_asset("page.css")),
    )


def _x(value: float | Estimate | None) -> float:
    """Where a coefficient stands in a chart from -0.2 to 1, 0 to 100; lower ones at the edge."""
    number = value.value if isinstance(value, Estimate) else value
    return round(100 * (max(number or 0.0, -0.2) + 0.2) / 1.2, 2)


def _asset(name: str) -> str:
    return files("falsereject_gen.annotate.agreement").joinpath(name).read_text(encoding="utf-8")
