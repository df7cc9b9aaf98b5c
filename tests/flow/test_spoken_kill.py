"""kill -9 at random moments: the dataset is that of the calm run. In full: benchmarks/kill.py."""

import json
import os
import subprocess
import sys

import pytest


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the harness forks its sittings")
def test_killed_again_and_again(root, tmp_path):
    out = tmp_path / "kill.json"
    words = [sys.executable, str(root / "benchmarks" / "kill.py"), "--out", str(out)]
    words += ["--target", "24", "--kills", "4", "--concurrency", "8"]
    paths = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH", ""))))
    done = subprocess.run(
        words,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text("utf-8"))
    assert found["kills"] >= 2
    assert found["rows"] == [24, 24]
    assert found["equal"], "the dataset differs from that of the undisturbed run"
    assert found["repeated"] == 0, "a request that was answered came again"
    assert found["requests_killed"] <= found["requests"] + 8 * found["kills"] + 20
