"""The curves of what was measured, as one SVG: a panel each, medians with the range of the rounds, axes that grow by tens."""
import math
import statistics

WIDTH, HEIGHT, GAP = 330, 210, 60
LEFT, TOP = 60, 50
COLORS = {"Keygate, full job": "#1f6feb", "nginx, plain proxy": "#8a8f98", "nginx + Lua + Redis, full job": "#d9730d",
          "HAProxy, plain proxy": "#2da44e", "without a proxy": "#c9ccd1"}
# (curve, title, what is across, what is up)
PANELS = (
    ("routes", "CPU a request, every route in turn", "routes", "µs"),
    ("keys in memory", "CPU a request, every key in turn, in memory", "keys", "µs"),
    ("keys in the store", "CPU a request, every key in turn, from the store", "keys", "µs"),
    ("connections", "CPU a request, all connections busy", "connections", "µs"),
    ("latency p50", "Waiting, median", "requests/s", "µs"),
    ("latency p99", "Waiting, 99 of 100", "requests/s", "µs"),
)


class Scale:
    """Numbers to places, by tens or from 0."""

    def __init__(self, values, start, end, by_tens):
        self.values = sorted(set(values))
        self.by_tens, self.start, self.end = by_tens, start, end
        self.low, self.high = (min(values), max(values)) if by_tens else (0, max(values) * 1.08)
        if by_tens and self.low == self.high:
            self.low, self.high = self.low / 2, self.high * 2

    def place(self, value):
        low, high, at = (math.log10(max(number, 1e-9)) for number in (self.low, self.high, value)) if self.by_tens \
            else (self.low, self.high, value)
        return self.start + (at - low) / (high - low) * (self.end - self.start)

    def ticks(self):
        if self.by_tens:
            powers = [10 ** power for power in range(math.ceil(math.log10(self.low)), math.floor(math.log10(self.high)) + 1)]
            return powers if len(powers) > 1 else sorted({self.low, self.high})
        step = 10 ** math.floor(math.log10(self.high))
        step = next(step * part for part in (1, 0.5, 0.2, 0.1) if self.high / (step * part) >= 4)
        return [step * number for number in range(int(self.high / step) + 1)]


def short(number):
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:g}{unit}"
    return f"{number:g}"


def text(x, y, words, anchor="middle", size=11, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" {more}>{words}</text>'


def axes(across, up, left, top, title, x_name, y_name):
    yield text(left, top - 14, title, "start", 13, 'font-weight="600"')
    for tick in up.ticks():
        y = up.place(tick)
        yield f'<line x1="{left}" x2="{left + WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="#d0d7de" stroke-width="0.7"/>'
        yield text(left - 6, y + 4, short(tick), "end")
    for tick in across.values:
        yield text(across.place(tick), top + HEIGHT + 16, short(tick))
    yield text(left + WIDTH / 2, top + HEIGHT + 32, x_name)
    yield text(left - 6, top - 14, y_name, "end")


def line(points, across, up, color):
    """Medians in a line, and at each the range of its rounds."""
    places = [(across.place(at), up.place(statistics.median(values)), up.place(min(values)), up.place(max(values)))
              for at, values in points]
    yield f'<polyline fill="none" stroke="{color}" stroke-width="2" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in places)}"/>'
    for x, y, low, high in places:
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}" stroke="{color}" stroke-width="1.2"/>'
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>'


def panel(figures, left, top, title, x_name, y_name):
    values = [value for figure in figures for value in figure["values"]]
    by_tens = max(values) > 50 * min(values)
    across = Scale([figure["x"] for figure in figures], left + 10, left + WIDTH - 10, True)
    up = Scale(values, top + HEIGHT, top, by_tens)
    yield from axes(across, up, left, top, title, x_name, y_name)
    for series, color in COLORS.items():
        points = sorted((figure["x"], figure["values"]) for figure in figures if figure["series"] == series)
        if points:
            yield from line(points, across, up, color)


def legend(shown, y):
    x = LEFT
    for series, color in COLORS.items():
        if series in shown:
            yield f'<circle cx="{x}" cy="{y - 4}" r="4" fill="{color}"/>'
            yield text(x + 10, y, series, "start", 12)
            x += 30 + 7 * len(series)


def svg(tables):
    """Of all tables with figures of a curve; what is not there has no panel."""
    figures = [figure for table in tables.values() for figure in table.figures if figure["x"] is not None]
    shown, parts = set(), []
    for curve, *words in PANELS:
        found = [figure for figure in figures if figure["curve"] == curve and figure["series"] in COLORS]
        if len({figure["x"] for figure in found}) < 2:
            continue
        row, column = divmod(len(parts), 2)
        left, top = LEFT + column * (WIDTH + GAP + 20), TOP + 30 + row * (HEIGHT + GAP + 25)
        parts.append("\n".join(panel(found, left, top, *words)))
        shown |= {figure["series"] for figure in found}
    width, height = 2 * (WIDTH + GAP) + LEFT + 20, TOP + (len(parts) + 1) // 2 * (HEIGHT + GAP + 25) + 30
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
                      'font-family="sans-serif" fill="#24292f">', f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
                      *legend(shown, 28), *parts, "</svg>", ""])
