"""One command, watched from outside: CPU and peak memory of it and of all it starts. Linux only.

CPU is what the kernel says at the end, or, where a child was left behind and never counted, what
was last seen of the living tree. Beside it: what was used up to a moment that the caller names, so
that start-up and work can be told apart.
"""

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20
EVERY_S = 0.2


@dataclass
class Watched:
    """How a command went.

    Attributes:
        fault: why its numbers are not to be used, or "".
        wall_s: from start to end.
        cpu_s: of all its processes.
        cpu_before_s: the part of it used until the moment came that was asked for.
        rss_mb: peak of the sum over its processes, sampled; pages that they share count twice.
        processes: the most that were seen at once.
    """

    fault: str = ""
    wall_s: float = 0.0
    cpu_s: float = 0.0
    cpu_before_s: float = 0.0
    rss_mb: float = 0.0
    processes: int = 0

    def see(self, pid, begun):
        """Take a sample of the tree; returns whether the moment has come."""
        tree = family(pid)
        self.processes = max(self.processes, len(tree))
        self.rss_mb = max(self.rss_mb, sum(one["rss_mb"] for one in tree))
        self.cpu_s = max(self.cpu_s, sum(one["cpu_s"] for one in tree))
        if not begun():
            self.cpu_before_s = self.cpu_s
            return False
        return True


def family(pid):
    """A process and all that descend from it; a look costs well under a millisecond a process."""
    found, fresh = [], [pid]
    while fresh:
        home = Path("/proc") / str(fresh.pop())
        try:
            words = (home / "stat").read_bytes().rpartition(b")")[2].split()
            children = [page.read_text() for page in home.glob("task/*/children")]
        except OSError:  # it ended meanwhile
            continue
        cpu, rss = sum(map(int, words[11:15])) / TICK, int(words[21]) * PAGE_MB
        found.append({"cpu_s": cpu, "rss_mb": rss})
        fresh += [int(child) for line in children for child in line.split()]
    return found


def watch(command, log, *, begun, folder=None, env=None, timeout=120.0):
    """Run a command to its end.

    Args:
        command: its words.
        log: file for what it says.
        begun: called at each sample until it says True: the moment that `cpu_before_s` ends at.
        folder: where it runs.
        env: variables on top of our own; None takes one away.
        timeout: seconds, then it is killed.
    """
    seen, start = Watched(), time.monotonic()
    variables = {**os.environ, **(env or {})}
    with log.open("wb") as said:
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=folder,
            env={name: value for name, value in variables.items() if value is not None},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status, used = _wait(process.pid, seen, begun, start + timeout)
        finally:
            _end_group(process.pid)
    seen.wall_s = time.monotonic() - start
    seen.cpu_s = max(seen.cpu_s, used.ru_utime + used.ru_stime)
    if status:
        code = os.waitstatus_to_exitcode(status)
        what = f"not done in {timeout:g} s" if code == -signal.SIGKILL else f"exit code {code}"
        seen.fault = f"{what}; it last said: {last_words(log)}"
    process.returncode = 0  # waited for above, with its resources: nothing is left to reap
    return seen


def _wait(pid, seen, begun, until):
    """Sample until it ended, or kill it; returns its status and resources."""
    sample = 0.0
    while True:
        done, status, used = os.wait4(pid, os.WNOHANG)
        if done:
            return status, used
        now = time.monotonic()
        if now > until:
            os.killpg(pid, signal.SIGKILL)
        if now >= sample:
            if seen.see(pid, begun):
                begun = _always  # asked no more: the server has other things to do
            sample = now + EVERY_S
        time.sleep(0.02)


def _always():
    return True


def _end_group(pid):
    """What a command left running would disturb the next one."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def last_words(log):
    """The last line of a log that is no frame of a box."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    words = [line.strip(" │╭╰╮╯─|") for line in lines]
    return next((line for line in reversed(words) if line), "nothing")[-300:]
