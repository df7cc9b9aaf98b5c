"""An SVG of ours as the bytes of a file: as it is, or as a PNG by resvg (extra `[png]`).

A PNG says how large it is on paper: `--width` px of 96 to the inch, drawn with as many dots to the
inch as were asked for. Letters come from the fonts of the system; where none fits resvg would leave
them out without a word, so that is looked for first.
"""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from falsereject_gen.errors import UsageError

__all__ = ["DPI", "encoder_of"]

DPI = 192
"""Dots an inch of a PNG, when nothing else is asked for."""
_CSS = 96
MOST_PIXELS = 100_000_000
"""Of one PNG: 400 MB while it is drawn."""
_PROBE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><text y="15" '
    'font-family="{font}">{text}</text></svg>'
)

Encode = Callable[[str, tuple[float, float], str], bytes]


def encoder_of(target: Path, dpi: int | None) -> Encode:
    """What turns an SVG text, its size in px and its font families into the bytes of `target`.

    Args:
        target: its suffix decides, .svg or .png.
        dpi: dots an inch of a PNG; None: DPI.

    Raises:
        UsageError: another suffix, `dpi` for an .svg, or resvg is not installed; and when it is
            called: too many pixels, or no font for the letters.
    """
    suffix = target.suffix.lower()
    if suffix not in (".svg", ".png"):
        raise UsageError(f"--out {target}: a picture is written as .svg or .png")
    if suffix == ".svg":
        if dpi is not None:
            raise UsageError("--dpi is for a .png; an .svg has no dots")
        return lambda svg, _size, _font: svg.encode("utf-8")
    resvg = _resvg()
    return lambda svg, size, font: _png(resvg, svg, size, font, dpi or DPI)


def _resvg() -> Any:
    try:
        import resvg_py  # noqa: PLC0415 - optional
    except ImportError:
        raise UsageError(
            "a .png needs resvg-py: pip install 'falsereject-gen[png]', or take .svg"
        ) from None
    return resvg_py


def _png(resvg: Any, svg: str, size: tuple[float, float], font: str, dpi: int) -> bytes:
    zoom = dpi / _CSS
    wide, high = (round(side * zoom) for side in size)
    if wide * high > MOST_PIXELS:
        raise UsageError(
            f"{wide:,} x {high:,} pixels are more than a PNG may have here ({MOST_PIXELS:,}); "
            "take a smaller --width or --dpi, or .svg"
        )
    empty, full = (resvg.svg_to_bytes(_PROBE.format(font=font, text=text)) for text in ("", "Ag"))
    if empty == full:
        raise UsageError(
            f"no font for the letters of a PNG: none of {font} is installed; install one "
            "(Debian: apt install fonts-dejavu-core), or take .svg"
        )
    return _with_density(bytes(resvg.svg_to_bytes(svg, zoom=zoom)), dpi)


def _with_density(png: bytes, dpi: int) -> bytes:
    """The PNG with a pHYs chunk (dots a metre) behind its header."""
    metre = round(dpi / 0.0254)
    body = b"pHYs" + struct.pack(">IIB", metre, metre, 1)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[:33] + chunk + png[33:]
