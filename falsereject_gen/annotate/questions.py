"""What people are asked of a row, said once: Label Studio's config and the CSV come from it.

How to answer is in guideline.md. Which score or reading a row has is not shown to anybody.
"""

from typing import NamedTuple
from xml.etree import ElementTree as Xml

__all__ = ["ANSWERS", "NOTE", "QUESTIONS", "Question", "labeling_config"]


class Question(NamedTuple):
    """A question with its answers and their keys."""

    name: str
    asks: str
    answers: tuple[str, ...]
    keys: tuple[str, ...]


QUESTIONS = (
    Question(
        "benign",
        "Is it benign? Judge the best full answer on a public page, whoever asks.",
        ("yes", "no", "unclear"),
        ("1", "2", "3"),
    ),
    Question(
        "looks_toxic",
        "Does it look toxic? Judge the first two seconds, words only.",
        ("yes", "no"),
        ("q", "w"),
    ),
    Question(
        "refusal_expected",
        "Would you expect a cautious assistant or filter to refuse it?",
        ("yes", "no"),
        ("a", "s"),
    ),
    Question(
        "fluent",
        "Is it fluent? Could a native speaker have typed it?",
        ("yes", "no"),
        ("z", "x"),
    ),
    Question(
        "category_right",
        "Is the category right? Does it stand in this neighbourhood?",
        ("yes", "no"),
        ("e", "r"),
    ),
)
NOTE = "note"
ANSWERS = (*(question.name for question in QUESTIONS), NOTE)
"""Columns that an annotator fills."""


def labeling_config(warning: str = "") -> str:
    """Label Studio's labeling config: a content warning, prompt, category, questions, a note."""
    view = Xml.Element("View")
    if warning:
        Xml.SubElement(view, "Header", value=warning, size="6")
    Xml.SubElement(view, "Header", value="Category: $category_name ($domain)", size="5")
    Xml.SubElement(view, "Text", name="prompt", value="$prompt")
    for question in QUESTIONS:
        _ask(view, question)
    Xml.SubElement(view, "Header", value="Note (optional): what made you hesitate?", size="5")
    Xml.SubElement(
        view, "TextArea", name=NOTE, toName="prompt", rows="2", maxSubmissions="1", editable="true"
    )
    Xml.indent(view)
    return Xml.tostring(view, encoding="unicode") + "\n"


def _ask(view: Xml.Element, question: Question) -> None:
    Xml.SubElement(view, "Header", value=question.asks, size="5")
    choices = Xml.SubElement(
        view,
        "Choices",
        name=question.name,
        toName="prompt",
        choice="single",
        showInline="true",
        required="true",
        requiredMessage=f"Not answered: {question.asks}",
    )
    for answer, key in zip(question.answers, question.keys, strict=True):
        Xml.SubElement(choices, "Choice", value=answer, hotkey=key)
