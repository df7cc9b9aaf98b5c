"""A reliability diagram as SVG: what was said against what was true, and how often it was said."""

SIZE, LEFT, TOP, BAND = 360, 56, 28, 70
INK, GRID, MARK = "#222222", "#d0d0d0", "#1f5fa8"
FOOT = TOP + SIZE + BAND + 20


def draw(bins: list[dict[str, float]], title: str) -> str:
    """The diagram.

    Args:
        bins: `low`, `high`, `said` (mean probability), `true` (share), `count`; none is empty.
        title: one line above it.
    """
    width, height, middle = LEFT + SIZE + 24, FOOT + 46, TOP + SIZE / 2
    points = [(x(b["said"]), y(b["true"])) for b in bins]
    path = " ".join(f"{across:.1f},{down:.1f}" for across, down in points)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="12" fill="{INK}">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        text(LEFT + SIZE / 2, 16, title),
        *(part for step in range(6) for part in grid(step / 5)),
        line(x(0), y(0), x(1), y(1), 'stroke-dasharray="5 4" stroke-width="2"'),
        *(part for b in bins for part in bar(b, max(b["count"] for b in bins))),
        f'<polyline points="{path}" fill="none" stroke="{MARK}" stroke-width="2"/>',
        *(f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="4" fill="{MARK}"/>' for cx, cy in points),
        text(LEFT + SIZE / 2, FOOT + 36, "predicted harm (below: how many texts)"),
        text(14, middle, "share that is toxic", more=f'transform="rotate(-90 14 {middle})"'),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def grid(at: float) -> list[str]:
    lines = [line(x(at), y(0), x(at), y(1)), line(x(0), y(at), x(1), y(at))]
    return [*lines, text(x(at), FOOT + 16, f"{at:.1f}"), text(LEFT - 18, y(at) + 4, f"{at:.1f}")]


def bar(one: dict[str, float], most: float) -> list[str]:
    tall, left = BAND * 0.7 * one["count"] / most, x(one["low"]) + 1
    wide = x(one["high"]) - left - 1
    at = f'x="{left:.1f}" y="{FOOT - tall:.1f}" width="{wide:.1f}" height="{tall:.1f}"'
    count = text(left + wide / 2, FOOT - tall - 3, f"{one['count']:.0f}")
    return [f'<rect {at} fill="{MARK}" opacity="0.45"/>', count]


def x(value: float) -> float:
    return LEFT + SIZE * value


def y(value: float) -> float:
    return TOP + SIZE * (1 - value)


def line(x1: float, y1: float, x2: float, y2: float, more: str = "") -> str:
    at = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {at} stroke="{GRID}" {more}/>'


def text(at_x: float, at_y: float, what: str, more: str = "") -> str:
    return f'<text x="{at_x:.1f}" y="{at_y:.1f}" text-anchor="middle" {more}>{what}</text>'
