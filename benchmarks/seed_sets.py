"""500 accepted rows from each of four public seed sets: speed, memory, coverage.

    python benchmarks/seed_sets.py ../shared/data

Prints one line a set and writes benchmarks/results/seed_sets.json. Rows a second count generation
only (models loaded); memory is the peak of a process of its own for each set.
"""

import json
import platform
import resource
import sys
import tempfile
from pathlib import Path
from subprocess import run

SETS = {
    "StrongREJECT": "strongreject/strongreject_dataset.csv",
    "AdvBench": "advbench/harmful_behaviors.csv",
    "HarmBench": "harmbench/harmbench_behaviors_text_all.csv",
    "CatQA": "red-instruct/catqa_english.json",
}
TARGET = 500
RESULTS = Path(__file__).parent / "results" / "seed_sets.json"


def one(path):
    from falsereject_gen.job import run as generate
    from falsereject_gen.settings import load_settings

    with tempfile.TemporaryDirectory() as folder:
        result = generate(load_settings(target=TARGET, seeds=(path,)), Path(folder) / "run")
        return {
            "accepted": len(result.rows),
            "rejected": len(result.rejected),
            "categories": len({row.category for row in result.rows}),
            "rows_per_s": round(len(result.rows) / result.generation_s, 1),
            "generation_s": round(result.generation_s, 1),
            "wall_s": round(result.wall_s, 1),
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }


def main(data):
    found = {}
    for name, file in SETS.items():
        said = run(
            [sys.executable, __file__, "--one", data / file],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        found[name] = json.loads(said.splitlines()[-1])
        print(name, found[name], flush=True)
    machine = {"python": platform.python_version(), "cpu": platform.machine(), "target": TARGET}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"machine": machine, "sets": found}, indent=2) + "\n")


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        print(json.dumps(one(Path(sys.argv[2]))))
    else:
        main(Path(sys.argv[1]))
