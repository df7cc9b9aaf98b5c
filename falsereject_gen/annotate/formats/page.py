"""Our own page as one self-contained file a person: opened from disk, without a network.

Answers stay in the browser and are saved to a file, which formats/answers.py reads. The page's
content security policy names its scripts by their hash and allows no connection.
"""

import hashlib

from markupsafe import Markup

from falsereject_gen.annotate.folder import Batch
from falsereject_gen.annotate.formats import shown
from falsereject_gen.annotate.pages.look import (
    asked,
    asset,
    embedded,
    environment,
    fingerprint,
    warning,
)

__all__ = ["write"]

_SCRIPTS = ("item.js", "file.js")


def write(batch: Batch, annotator: str) -> dict[str, bytes]:
    """The page of one annotator; of an open batch, the page asks for a name.

    Returns:
        `<batch>-<annotator>.html`; the same batch gives the same bytes.
    """
    ids = batch.assignment[annotator]
    who = "" if batch.open else annotator
    questions = asked(batch.questions)
    data = {
        "batch": batch.name,
        "key": hashlib.sha256("\n".join([batch.name, *ids]).encode()).hexdigest()[:16],
        "annotator": who,
        "questions": [question["name"] for question in questions],
        "answers": {question["name"]: question["answers"] for question in questions},
        "items": [_item(batch, item) for item in ids],
    }
    css, scripts = asset("page.css"), [asset(name) for name in _SCRIPTS]
    page = environment().get_template("file.html.j2")
    text = page.render(
        batch=batch.name,
        who=who,
        total=len(ids),
        warning=warning(batch),
        questions=questions,
        css=Markup(css),
        scripts=[Markup(script) for script in scripts],
        policy=_policy(css, scripts),
        data=Markup(embedded(data)),
    )
    name = f"{batch.name}-{annotator}.html" if who else f"{batch.name}.html"
    return {name: text.encode()}


def _item(batch: Batch, item: str) -> dict[str, str]:
    fields = shown(batch, batch.items[item])
    return {"id": item, **{k: fields[k] for k in ("prompt", "category_name", "domain")}}


def _policy(css: str, scripts: list[str]) -> str:
    """What the page may do: run its own scripts, use its own styles, nothing else."""
    allowed = " ".join(fingerprint(script) for script in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src {fingerprint(css)}; img-src data:; "
        "form-action 'none'; base-uri 'none'"
    )
