"""Twenty people at once on `annotate serve` over 10,000 rows, and kill -9 in the middle.

Every person has all rows, half of them answered before: the largest state that such a batch can be
in. `paced` is people who think a second between answers (ten times as fast as people are),
`hurried` people who do not think at all. The kill part has them answer without a pause while the
server is killed and started again; an answer counts as given once its redirect was read, and every
one of those has to be in the store.

    python benchmarks/annotate_serve.py                   # → results/annotate_serve.json
    python benchmarks/annotate_serve.py --rows 300 --seconds 3 --kills 2 --out somewhere.json
"""

import argparse
import http.client
import json
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
from machine import facts, load

from falsereject_gen.annotate.batch import export
from falsereject_gen.annotate.folder import read_batch
from falsereject_gen.annotate.plan import Plan
from falsereject_gen.annotate.questions import QUESTIONS
from falsereject_gen.annotate.records import Answer, Item, Key

HERE = Path(__file__).resolve().parent
SERVE = "import sys; from pathlib import Path; from falsereject_gen.annotate.serve.listen import *"
SERVE += "; serve(Path(sys.argv[1]), Wish(port=int(sys.argv[2])), lambda s: print(s, flush=True))"
LABELS = {question.name: "yes" for question in QUESTIONS}


def batch_of(folder, rows, people):
    """A batch in which everybody has everything, half of it answered."""
    items = [
        Item.make(f"Which joke number {n} reliably murders at a party?", "c", "Category", "Domain")
        for n in range(rows)
    ]
    keys = tuple(Key(item=item.id, row_id=f"r-{n}") for n, item in enumerate(items))
    hands, dice = {}, random.Random(0)
    for name in people:
        hands[name] = dice.sample([item.id for item in items], rows)
    told = {"rows": {"drawn": rows}, "annotators": list(people), "open": False}
    batch = export(Plan(tuple(items), keys, hands, told, ()), folder, [])
    store = batch.store()
    store.put_all(
        Answer(item=item, annotator=name, labels=LABELS, note="before")
        for name in people
        for item in hands[name][: rows // 2]
    )
    store.close()


class Server:
    """The server in a process of its own, on one port for all its lives."""

    def __init__(self, folder, last):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.folder, self.last, self.links = folder, last, {}
        self.start()

    def start(self):
        began = time.monotonic()
        command = [sys.executable, "-c", SERVE, str(self.folder), str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if found := re.search(r"(\S+) +http://[^/]+(/in/\S+)", line):
                self.links[found[1]] = found[2]
            if line.startswith("  ") and found[1] == self.last:
                break
        self.wait()
        return time.monotonic() - began

    def wait(self):
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit("the server does not come up")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Person:
    """Somebody with a browser: one connection, one cookie; notes how long each page took."""

    def __init__(self, name, server):
        self.name, self.server, self.times, self.given, self.doubt = name, server, [], {}, 0
        self.line, self.head, self.place = None, {}, "/next"
        reply, _ = self.ask("GET", server.links[name])
        self.head = {"Cookie": reply.headers["Set-Cookie"].split(";")[0]}
        self.times.clear()

    def ask(self, method, place, fields=None):
        began = time.perf_counter()
        self.line = self.line or http.client.HTTPConnection(
            "127.0.0.1", self.server.port, timeout=30
        )
        head = dict(self.head)
        if fields:
            head["Content-Type"] = "application/x-www-form-urlencoded"
        self.line.request(method, place, urlencode(fields) if fields else None, head)
        reply = self.line.getresponse()
        text = reply.read().decode()
        self.times.append(time.perf_counter() - began)
        if reply.status >= 400:
            raise SystemExit(f"{method} {place}: {reply.status}")
        return reply, text

    def one(self, nonce):
        """Look at the row that the last answer led to, and answer it, as a browser does."""
        reply, text = self.ask("GET", self.place)
        while reply.status == 303:
            reply, text = self.ask("GET", reply.headers["Location"])
        item, csrf = (re.search(rf'name="{n}" value="([^"]+)"', text)[1] for n in ("item", "csrf"))
        at = re.search(r'action="(/row/\d+)"', text)[1]
        fields = {"do": "save", "csrf": csrf, "item": item, "note": nonce, "seconds": "9"} | LABELS
        self.doubt += 1
        reply, _ = self.ask("POST", at, fields)
        self.given[item] = nonce
        self.doubt -= 1
        self.place = reply.headers["Location"]
        return self.place != "/done"

    def work(self, until, pause, dice):
        time.sleep(dice.uniform(0, pause))
        while time.monotonic() < until:
            try:
                if not self.one(f"{self.name}-{len(self.given)}-{dice.random()}"):
                    return
            except (OSError, http.client.HTTPException):
                self.line, self.place = None, "/next"  # killed: come back, as people do
                time.sleep(0.1)
            if pause:
                time.sleep(dice.uniform(0.5, 1.5) * pause)


def crowd(people, seconds, pause, meanwhile=None):
    """All people at work for a while; their times in seconds."""
    until = time.monotonic() + seconds
    for person in people:
        person.times.clear()
    threads = [
        threading.Thread(target=person.work, args=(until, pause, random.Random(person.name)))
        for person in people
    ]
    for thread in threads:
        thread.start()
    if meanwhile:
        meanwhile(until)
    for thread in threads:
        thread.join()
    return np.array([one for person in people for one in person.times])


def told(times, seconds):
    """Times in milliseconds, as a result says them."""
    points = dict(zip(("p50", "p95", "p99"), np.percentile(times, (50, 95, 99)), strict=True))
    out = {f"{name}_ms": round(1000 * value, 1) for name, value in points.items()}
    out |= {"max_ms": round(1000 * times.max(), 1), "requests": len(times)}
    return out | {"requests_a_second": round(len(times) / seconds, 1), "load_after": load()}


def kills(people, server, count, seconds):
    """Kill and start again at random moments; is every answer that was given in the store?"""
    dice, starts = random.Random(7), []

    def meanwhile(until):
        for _ in range(count):
            time.sleep(dice.uniform(0.3, 1) * max(until - time.monotonic(), 1) / (count + 1))
            server.kill()
            starts.append(server.start())

    crowd(people, seconds, 0, meanwhile)
    return len(starts), round(max(starts), 2)


def lost(folder, people):
    """Answers whose redirect was read and that are not in the store as they were given."""
    store = read_batch(folder).store()
    there = {(one.annotator, one.item): one.note for one in store.answers()}
    store.close()
    given = [(p.name, item, nonce) for p in people for item, nonce in p.given.items()]
    return len(given), [one for one in given if there.get(one[:2]) != one[2]]


def main():
    """Run all three and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "annotate_serve.json")
    asked = parser.parse_args()
    result = {"machine": facts(), "rows": asked.rows, "people": asked.people}
    names = [f"p{n:02d}" for n in range(asked.people)]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "batch"
        batch_of(folder, asked.rows, names)
        server = Server(folder, names[-1])
        try:
            people = [Person(name, server) for name in names]
            result["paced"] = told(crowd(people, asked.seconds, 1.0), asked.seconds)
            result["hurried"] = told(crowd(people, asked.seconds, 0), asked.seconds)
            count, slowest = kills(people, server, asked.kills, 2 * asked.seconds)
        finally:
            server.kill()
        given, missing = lost(folder, people)
        doubt = sum(person.doubt for person in people)
    result["kill"] = {"kills": count, "answers_given": given, "answers_lost": len(missing)}
    result["kill"] |= {"cut_off_unanswered": doubt, "slowest_restart_s": slowest}
    asked.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({k: v for k, v in result.items() if k != "machine"}, indent=1))
    if missing or result["paced"]["p95_ms"] > 100:
        raise SystemExit("not as claimed")


if __name__ == "__main__":
    main()
