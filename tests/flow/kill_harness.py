"""Runs the main job in processes that are killed: loads everything once, then forks for each try.

`python kill_harness.py OUT SEEDS TARGET ROWS…`: for each number of ROWS a forked child runs (or
resumes) the job and is ended by SIGKILL as soon as its store has that many candidates more; the
last child is left in peace. One thread everywhere, because threads don't survive a fork.
"""

import os
import signal
import sqlite3
import sys
import time
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")

from falsereject_gen.dedup.encoder import MiniLM
from falsereject_gen.entities.lexicon import load_lexicon
from falsereject_gen.job import run
from falsereject_gen.rooms import Rooms
from falsereject_gen.run import world
from falsereject_gen.settings import load_settings


def stored(out):
    try:
        db = sqlite3.connect(f"file:{out / 'run.sqlite'}?mode=ro", uri=True)
        found = db.execute("SELECT count(*) FROM candidates").fetchone()[0]
        db.close()
    except sqlite3.Error:
        return 0
    return found


def child(out, seeds, target):
    settings = load_settings(target=target, seeds=(seeds,))
    run(settings, out, resume=(out / "run.sqlite").exists())
    os._exit(0)


def main():
    out, seeds, target = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    encoder = MiniLM(cache=0)
    world.MiniLM = lambda: encoder
    encoder.many([text for text in load_lexicon(Rooms()).notes][:2])
    for more in [*map(int, sys.argv[4:]), None]:
        before = stored(out)
        pid = os.fork()
        if pid == 0:
            child(out, seeds, target)
        if more is None:
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        while stored(out) < before + more and os.waitpid(pid, os.WNOHANG) == (0, 0):
            time.sleep(0.002)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        print(stored(out), flush=True)


main()
