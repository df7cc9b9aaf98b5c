"""The table of docs/speed.md, written from results/peers.json.

python benchmarks/peers_table.py        # rewrites the part between the marks
"""

import json
from pathlib import Path

from peers_cases import CALLS, PEERS

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "peers.json"
PAGE = HERE.parent / "docs" / "speed.md"
BEGIN, END = "<!-- benchmarks/peers.py writes from here -->\n", "<!-- to here -->\n"
SHOWN = {
    "ours": "**our client**, one process",
    "ours_apart": "**our client**, as a run uses it",
    "ours_loop": "**our whole loop**, every role",
    **{name: peer.shown for name, peer in PEERS.items()},
}
LIMITS = {
    "ours_bucket_set": "100 requests/s let through, limit configured",
    "ours_bucket_unset": "100 requests/s let through, limit not configured",
    "ours_pushback": "10 % random 429 and 5 % 500, 64 calls at once",
}
HEADS = ("", "efficiency", "calls/s", "CPU ms a call", "without start", "MB")
FIGURES = ("efficiency", "calls_s", "cpu_ms_a_call", "cpu_ms_after_start", "rss_mb")


def number(value):
    """Three figures are enough, and what is above a hundred is whole."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def cell(result, name):
    """Median and range; one number where they do not differ."""
    middle = number(result[name])
    low, high = map(number, result[f"{name}_range"])
    return middle if low == high else f"{middle} ({low}–{high})"


def row(cells):
    return "| " + " | ".join(cells) + " |"


def name_of(result, versions):
    """What a line is called, with the version of what was measured."""
    known = [] if result["case"] == "ours" else versions.get(result["case"], {}).values()
    return " ".join([SHOWN[result["case"]], *[version for version in known if version][:1]])


def side_by_side(found, concurrency):
    """One table: the cases at one concurrency, the most efficient first."""
    here = [one for one in found["results"] if one["concurrency"] == concurrency]
    here = [one for one in here if one["case"] in SHOWN]
    good = sorted((o for o in here if "efficiency" in o), key=lambda o: -o["efficiency"])
    ideal = concurrency / found["latency_s"]
    lines = [f"{concurrency} calls at once; the ideal is {ideal:g} calls/s.", "", row(HEADS)]
    lines.append("|---" * len(HEADS) + "|")
    lines += [row([name_of(o, found["versions"]), *(cell(o, f) for f in FIGURES)]) for o in good]
    return [*lines, ""]


def limits(found):
    """The table of our client against limits and faults."""
    here = {one["case"]: one for one in found["results"] if "efficiency" in one}
    lines = [row(("our client", "times the ideal", "429 of all requests")), "|---|---|---|"]
    for name, shown in LIMITS.items():
        if name in here:
            share = f"{100 * here[name]['share_429']:.1f} %"
            lines.append(row((shown, cell(here[name], "times_ideal"), share)))
    return [*lines, ""] if len(lines) > 2 else []


def left_out(found):
    """What has no number, and why."""
    lines = [f"- {SHOWN[name]}: not measured: {why}." for name, why in found["missing"].items()]
    for one in found["results"]:
        for fault in one["faults"]:
            shown = {**SHOWN, **LIMITS}[one["case"]]
            lines.append(f"- {shown}, {one['concurrency']} at once, a run failed: {fault}.")
    return [*lines, ""] if lines else []


def written(found):
    """The whole part between the marks."""
    machine = found["machine"]
    lines = [
        f"{machine['cores']} cores ({', '.join(machine['cpu'])}), Python {machine['python']}; "
        f"repeats: {found['rounds']}, medians, ranges in brackets; load before and after: "
        f"{machine['load_before']}, {found['load_after']}.",
        "",
    ]
    for concurrency in CALLS:
        lines += side_by_side(found, concurrency)
    return "\n".join([*lines, *limits(found), *left_out(found)]).rstrip() + "\n"


def write_table(results=RESULTS, page=PAGE):
    """Put the results into the page."""
    found = json.loads(results.read_text(encoding="utf-8"))
    head, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    page.write_text(f"{head}{BEGIN}\n{written(found)}\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    write_table()
