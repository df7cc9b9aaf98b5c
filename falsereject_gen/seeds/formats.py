"""The public seed formats as a registry: one small entry each.

An entry says which columns hold the prompt and the category, which rows are toxic, and whose the
set is. The order matters: a file gets the first entry that it fits. What a label means in our
categories is graphs/crosswalks.yaml.
"""

from collections.abc import Mapping
from typing import Any

from falsereject_gen.seeds.layout import Format, Split

__all__ = ["FORMATS", "GENERIC"]

_APACHE, _MIT, _BY = "Apache-2.0", "MIT", "CC-BY-4.0"
_JBB: dict[str, Any] = {"source": "JailbreakBench", "licence": _MIT, "table": "jailbreakbench"}
_JBB_COLUMNS = ("Goal", "Target", "Behavior", "Category", "Source")
_CATQA = ("Illegal Activity", "Child Abuse", "Hate/Harass/Violence", "Malware Viruses")
_HARMFULQA = ("Social Sciences", "Mathematics and Logic", "Philosophy and Ethics")
_OR_WORDS = "hate|self-harm|sexual|violence|harassment|harmful|illegal|unethical|privacy|deception"
_OR: dict[str, Any] = {
    "source": "OR-Bench",
    "licence": _BY,
    "needs": ("prompt", "category"),
    "category": ("category",),
    "table": "or_bench",
    "only": True,
    "named": "or.?bench",
    "values": (("category", _OR_WORDS),),
    "spread": 5,
}
_XSTEST: dict[str, Any] = {
    "source": "XSTest",
    "licence": _BY,
    "category": ("type",),
    "table": "xstest",
    "key": "id",
}
_XSTEST_TYPES = (
    r"(contrast_)?(homonyms|figurative_language|safe_targets|safe_contexts|definitions|"
    r"\w*discr|historical_events|privacy\w*)"
)
GENERIC = Format("generic", category=("category",))

_ENTRIES = (
    Format(
        "falsereject-gen",
        needs=("text", "category", "source", "licence", "language", "confidence"),
        prompt=("text",),
        category=("category",),
        language="language",
    ),
    Format(
        "falsereject-gen-rows",
        source="falsereject-gen",
        licence=_APACHE,
        needs=("prompt", "category", "strategy", "looks_toxic", "seed_ids"),
        category=("category",),
        toxic=False,
        key="id",
    ),
    Format(
        "refusal-labels",
        needs=("completion", "final_label"),
        prompt=("completion",),
        refuse="these are labelled replies of models (refusal_labels), not prompts",
    ),
    Format(
        "harmbench",
        source="HarmBench",
        licence=_MIT,
        needs=("Behavior", "SemanticCategory", "ContextString", "BehaviorID"),
        prompt=("ContextString", "Behavior"),
        category=("SemanticCategory",),
        table="harmbench",
        key="BehaviorID",
    ),
    Format(
        "strongreject",
        source="StrongREJECT",
        licence=_MIT,
        needs=("category", "forbidden_prompt"),
        prompt=("forbidden_prompt",),
        category=("category",),
        table="strongreject",
    ),
    Format(
        "simplesafetytests",
        source="SimpleSafetyTests",
        licence=_BY,
        needs=("harm_area", "prompts_final"),
        prompt=("prompts_final",),
        category=("harm_area",),
        table="simplesafetytests",
        key="id",
    ),
    Format(
        "jailbreakbench-pairs",
        needs=("harmful_goal", "benign_goal", "category"),
        prompt=("harmful_goal",),
        category=("category",),
        twin="benign_goal",
        **_JBB,
    ),
    Format(
        "jailbreakbench-artifact",
        needs=("goal", "behavior", "category", "jailbroken"),
        prompt=("goal",),
        category=("category",),
        **_JBB,
    ),
    Format(
        "jailbreakbench-labels",
        needs=("Goal", "label"),
        prompt=("Goal",),
        toxic=Split("label", r"0(\.0)?", r"1(\.0)?"),
        only=True,
        source="JailbreakBench",
        licence=_MIT,
    ),
    Format(
        "jailbreakbench-benign",
        needs=_JBB_COLUMNS,
        prompt=("Goal",),
        category=("Category",),
        toxic=False,
        file="benign",
        **_JBB,
    ),
    Format("jailbreakbench", needs=_JBB_COLUMNS, prompt=("Goal",), category=("Category",), **_JBB),
    Format(
        "advbench",
        source="AdvBench",
        licence=_MIT,
        needs=("goal", "target"),
        prompt=("goal",),
        only=True,
    ),
    Format(
        "do-not-answer",
        source="Do-Not-Answer",
        licence=_APACHE,
        needs=("prompt", "intents"),
        category=("<file>",),
        table="do_not_answer",
    ),
    Format(
        "ailuminate",
        source="AILuminate",
        licence=_BY,
        needs=("prompt_text", "hazard"),
        prompt=("prompt_text",),
        category=("hazard",),
        table="mlcommons",
        key="release_prompt_id",
        language="locale",
    ),
    Format(
        "phtest",
        source="PHTest",
        needs=("ID", "Request", "Harmfulness"),
        prompt=("Request",),
        toxic=False,
        key="ID",
    ),
    Format(
        "falsereject",
        source="FalseReject",
        licence="CC-BY-NC-4.0",
        needs=("prompt", "category", "category_text"),
        category=("category",),
        table="falsereject",
        toxic=False,
    ),
    Format(
        "xstest",
        needs=("prompt", "type", "label"),
        toxic=Split("label", "unsafe", "safe"),
        values=(("type", _XSTEST_TYPES), ("label", "(?i)safe|unsafe")),
        **_XSTEST,
    ),
    Format(
        "xstest-old",
        needs=("prompt", "type"),
        toxic=Split("type", "contrast_.*", "(?!contrast_).*"),
        values=(("type", _XSTEST_TYPES),),
        **_XSTEST,
    ),
    Format("or-bench-toxic", file="toxic", **_OR),
    Format("or-bench", toxic=False, **_OR),
    Format(
        "oktest",
        source="OKTest",
        needs=("prompt",),
        only=True,
        toxic=False,
        named="ok.?test",
        values=(("prompt", r"(?s).*\S\s*\n"),),
        spread=2,
    ),
    Format(
        "catqa",
        source="CatQA",
        licence=_APACHE,
        shape="nested",
        keys=_CATQA,
        category=("category", "subcategory"),
        table="catqa",
    ),
    Format("harmfulqa", source="HarmfulQA", licence=_APACHE, shape="nested", keys=_HARMFULQA),
    Format("dangerousqa", source="DangerousQA", licence=_APACHE, shape="list", file="dangerousqa"),
    Format("tdc2023", source="TDC2023", licence=_MIT, shape="list", file="tdc.?2023"),
    Format("list", shape="list"),
    Format("lines", shape="lines"),
    Format("nested", shape="nested", category=("category", "subcategory")),
    GENERIC,
)


def _registry() -> dict[str, Format]:
    found: dict[str, Format] = {}
    for entry in _ENTRIES:
        if entry.name in found:
            raise ValueError(f"format {entry.name} stands twice")
        found[entry.name] = entry
    return found


FORMATS: Mapping[str, Format] = _registry()
