"""Parts that must never be slow, whatever text or graph they get: CPU seconds of each.

    python benchmarks/quick_parts.py      # writes results/quick_parts.json

`rules`: the refusal rules on a reply of 1,000 characters, and on replies that repeat what their
patterns begin with (3,000 to 48,000 characters). `parser`: JSON sought in brackets that never
close. `positions`: a picture's layout of 5,000 entities. `self_bleu`: 500 texts of ten words.
"""

import argparse
import json
import random
import time
from pathlib import Path

import networkx as nx
from machine import facts

from falsereject_gen.entities.draw import positions
from falsereject_gen.evaluate.diversity import self_bleu_4
from falsereject_gen.models.structured import find_json
from falsereject_gen.roles.refusal import RefusalRules
from falsereject_gen.rooms import Rooms

HERE = Path(__file__).resolve().parent
REPLY = (
    "I can't help with that request. If somebody is in danger, please call the emergency services. "
    "A locksmith can open the door, and the police can be asked to stand by while it is done. "
) * 6
UNITS = ("i cannot ", "it is not ", "a", '"', "i can't really, ", "1. ")


def cost(work, times=1):
    """CPU seconds of one call."""
    begun = time.process_time()
    for _ in range(times):
        work()
    return round((time.process_time() - begun) / times, 5)


def graph(size, rng):
    """A random graph of entities, three relations each."""
    made = nx.MultiDiGraph()
    for n in range(size):
        made.add_node(f"e{n}", categories=[f"c{n % 44}"], seeds=[], weight=1, kind="object")
    for n in range(size):
        for _ in range(3):
            made.add_edge(f"e{n}", f"e{rng.randrange(size)}", weight=1)
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=HERE / "results" / "quick_parts.json")
    args = parser.parse_args()
    rules, rng = RefusalRules(Rooms()), random.Random(0)
    words = [f"w{n}" for n in range(400)]
    texts = [[rng.choice(words) for _ in range(10)] for _ in range(500)]
    network = graph(5000, rng)
    found = {
        "rules": cost(lambda: rules.decide(REPLY[:1000]), times=500),
        **{f"rules_{unit!r}": cost(lambda u=unit: rules.decide(u * 3000)) for unit in UNITS},
        "parser_braces": cost(lambda: list(find_json("{" * 20_000))),
        "parser_nested": cost(lambda: list(find_json('{"a":' * 5_000))),
        "positions": cost(lambda: positions(network, 0)),
        "self_bleu": cost(lambda: self_bleu_4(texts)),
    }
    print(json.dumps(found, indent=1))
    told = {"machine": facts(), "cpu_s": found}
    args.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
