"""The two servers of `peers.py`, with one face: reset, has a call come, what was counted."""

import json
import subprocess
import sys
import time
import urllib.request
from urllib.parse import urlencode

from peers_cases import LATENCY, PORT

from falsereject_gen.models.scripted_server import ScriptedServer

START_S = 20.0
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever the environment


class Mock:
    """`mock.py` of the bench folder, in a process of its own for the length of a `with` block."""

    url = f"http://127.0.0.1:{PORT}/v1"

    def __init__(self, ground):
        self._ground = ground

    def __enter__(self):
        if self._answers():
            sys.exit(f"port {PORT} is taken, and the adapters ask no other: end what listens there")
        words = [sys.executable, str(self._ground.bench / "mock.py"), str(PORT), str(LATENCY)]
        self._process = subprocess.Popen([*self._ground.cores(server=True), *words])
        until = time.monotonic() + START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                self._process.kill()
                sys.exit("mock.py of --bench does not start")
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()

    def reset(self, ask):
        """Counters to zero, and the faults and limits of a case."""
        calm = {"latency": LATENCY, "fail429": 0, "fail500": 0, "retry_after": "", "rps": 0}
        self._page(f"/reset?{urlencode({**calm, **ask})}")

    def begun(self):
        return self._page("/stats")["total"] > 0

    def stats(self):
        found = self._page("/stats")
        return {
            "requests": found["total"],
            "ok": found["ok"],
            "span_s": (found["last"] or 0) - (found["first"] or 0),
            "r429": found["r429"],
            "r500": found["r500"],
            "repeated": found["dups_ok"],
            "peak": found["peak"],
        }

    def _answers(self):
        try:
            self._page("/stats")
        except OSError:
            return False
        return True

    def _page(self, path):
        with OPENER.open(f"http://127.0.0.1:{PORT}{path}", timeout=START_S) as page:
            return json.load(page)


class Scripted:
    """Our scripted server, in a process of its own."""

    def __init__(self):
        self._server = ScriptedServer(process=True, latency=LATENCY)

    def __enter__(self):
        self._server.__enter__()
        self.url = self._server.url
        return self

    def __exit__(self, *given):
        self._server.__exit__(*given)

    def reset(self, ask):
        self._server.reset(**{"latency": LATENCY, "faults": "", **ask})

    def begun(self):
        return self._server.stats()["requests"] > 0

    def stats(self):
        found = self._server.stats()
        return {
            "requests": found["requests"],
            "ok": found["ok"],
            "span_s": found["span_s"],
            "r429": found["status"].get("429", 0),
            "r500": found["status"].get("500", 0),
            "repeated": found["repeated"],
            "peak": found["peak_in_flight"],
        }
