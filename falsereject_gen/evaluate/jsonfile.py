"""One JSON object from a file that a run wrote."""

import json
from pathlib import Path
from typing import Any

from falsereject_gen.errors import InputError

__all__ = ["read_object"]


def read_object(path: Path) -> dict[str, Any]:
    """The object in a file.

    Raises:
        InputError: it cannot be read or holds something else.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise InputError(f"it cannot be read as JSON: {fault}", path=path) from None
    if not isinstance(found, dict):
        raise InputError("it holds no JSON object", path=path)
    return found
