"""What a result has to say of the machine: no paths, no host names."""

import importlib.metadata
import os
import platform
from pathlib import Path

LIBRARIES = ("torch", "transformers", "numpy", "scikit-learn", "spacy")


def facts() -> dict[str, object]:
    """Cores that this process may use, class of the CPU, Python and the libraries that matter."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cores": cores,
        "cpu": cpu_class(),
        "system": platform.system(),
        "python": platform.python_version(),
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
        "load_before": load(),
    }


def load() -> float | None:
    """Processes that wanted a core, over the last minute: above `cores`, timings mean little."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None


def cpu_class() -> list[str]:
    """Architecture, and which of the vector units that torch can use are there."""
    info = Path("/proc/cpuinfo")
    flags = set(info.read_text(encoding="utf-8").split()) if info.is_file() else set()
    units = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "sve")
    return [platform.machine(), *(unit for unit in units if unit in flags)]
