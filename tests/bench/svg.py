"""Draws the medians of a run: a panel for each figure, a bar for each peer, a line where a goal lies. Plain SVG; text
and lines are legible on light and on dark ground."""

from xml.sax.saxutils import escape

from row import OURS

COLOURS = {"verge": "#2f9e6e", "verge+log": "#7cc9a5", "nginx": "#4a86d8", "haproxy": "#d8843a", "varnish": "#9a6fd0",
           "trafficserver": "#d05a7a", "h2o": "#8a8f98"}
OTHER = "#b0a030"
COLUMNS, PANEL_WIDTH, BAR, GAP, TITLE, MARGIN = 3, 330, 13, 3, 34, 16
LABEL, VALUE = 82, 62  # room left of the bars for names, right of them for numbers
STYLE = """text { font: 11px sans-serif; fill: #333; } .title { font-weight: bold; } .unit, .goal { fill: #777; }
.goal-line { stroke: #c03030; stroke-width: 1.2; stroke-dasharray: 3 2; }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd; } .unit, .goal { fill: #999; } .goal-line { stroke: #ff8080; }
}"""


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def goal_values(row):
    """Where the goals lie in the unit of the row: of what a peer has, or as they stand."""
    out = []
    for goal in row["goals"]:
        if goal["ratio"]:
            by = row["median"].get(goal["ratio"]["of"])
            if by is not None:  # none: it is held against another row
                out.append(goal["most"] * by)
        elif "of " not in goal["goal"]:
            out.append(goal["most"])
    return out


def panel(row, x, y):
    """One figure of all peers, drawn at (x, y). Returns (SVG, its height)."""
    values = [(peer, value) for peer, value in row["median"].items() if value is not None]
    goals = goal_values(row)
    top = max([value for _, value in values] + goals + [1e-9])
    room = PANEL_WIDTH - LABEL - VALUE
    out = [f'<text class="title" x="{x}" y="{y + 12}">{escape(row["scenario"])}</text>',
           f'<text class="unit" x="{x}" y="{y + 26}">{escape(row["unit"])}</text>']
    at = y + TITLE
    for peer, value in values:
        width = max(1.0, room * max(value, 0) / top)
        heavy = ' class="title"' if peer == OURS else ""
        out.append(f'<text{heavy} x="{x + LABEL - 6}" y="{at + 10}" text-anchor="end">{escape(peer)}</text>')
        colour = COLOURS.get(peer, OTHER)
        out.append(f'<rect x="{x + LABEL}" y="{at}" width="{width:.1f}" height="{BAR}" fill="{colour}"/>')
        out.append(f'<text x="{x + LABEL + width + 4:.1f}" y="{at + 10}">{number(value)}</text>')
        at += BAR + GAP
    for goal in goals:
        line = x + LABEL + room * goal / top
        out.append(f'<line class="goal-line" x1="{line:.1f}" x2="{line:.1f}" y1="{y + TITLE - 3}" y2="{at}"/>')
    return "\n".join(out), at - y


def draw(said, chosen=lambda row: row["lower_is_better"] and not row["metric"].startswith(("p50", "p999"))):
    """`said` is the JSON of report.as_json; `chosen` tells which rows are drawn."""
    shown = [row for row in said["rows"] if chosen(row)]
    parts, y = [], MARGIN + 34
    for begin in range(0, len(shown), COLUMNS):
        tallest = 0
        for column, row in enumerate(shown[begin:begin + COLUMNS]):
            drawn, height = panel(row, MARGIN + column * (PANEL_WIDTH + MARGIN), y)
            parts.append(drawn)
            tallest = max(tallest, height)
        y += tallest + 14
    width = MARGIN + COLUMNS * (PANEL_WIDTH + MARGIN)
    rounds = f"Medians of {said['rounds']} rounds" if said["rounds"] > 1 else "One round"
    heading = (f'<text class="title" x="{MARGIN}" y="{MARGIN + 8}">{rounds}; shorter is better; '
               f'dashed: the goal of verge</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y}" viewBox="0 0 {width} {y}">\n'
            f"<style>{STYLE}</style>\n{heading}\n" + "\n".join(parts) + "\n</svg>\n")
