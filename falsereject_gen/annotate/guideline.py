"""The guideline for annotators, as Markdown and as one HTML page; both from guideline.md."""

from functools import cache
from html import escape
from importlib.resources import files
from string import Template

__all__ = ["guideline_body", "guideline_html", "guideline_md"]


@cache
def guideline_md() -> str:
    """The guideline as it is written."""
    return _packaged("guideline.md")


@cache
def guideline_body() -> str:
    """The guideline as HTML without a page around it: headings, lists, tables, no script."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 - only when a batch is made or served

    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    return str(markdown.render(guideline_md()))


@cache
def guideline_html(warning: str = "") -> str:
    """The guideline as a page of its own: light and dark, nothing fetched from anywhere.

    Args:
        warning: the batch's content warning, shown first; none when empty.
    """
    title = guideline_md().splitlines()[0].lstrip("# ")
    page = Template(_packaged("guideline.html.tmpl"))
    box = f'<p class="warning" role="note">{escape(warning)}</p>\n' if warning else ""
    return page.substitute(title=escape(title), body=box + guideline_body())


def _packaged(name: str) -> str:
    return files("falsereject_gen.annotate").joinpath(name).read_text(encoding="utf-8")
