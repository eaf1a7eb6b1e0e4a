"""The table, the goals and the JSON of a run, and what became worse since another."""

import json
import os
import platform

import stats
from row import OURS, judge

WORSE = 1.1  # times what it was


def rows(scenarios, results):
    """(scenario, metric, {peer: rounds}, [verdict of each goal]) of all figures that any peer has, in order."""
    for scenario in scenarios:
        for metric in scenario.metrics:
            figures = results.of(scenario.name, metric.key)
            if any(stats.median(rounds) is not None for rounds in figures.values()):
                others = lambda name, key=metric.key: results.of(name, key) if name in results.figures else {}
                yield scenario, metric, figures, [judge(goal, figures, others) for goal in metric.goals]


def number(value):
    if value is None:
        return "-"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def verdict(found):
    word = {True: "met", False: "MISSED", None: "open"}[found.met]
    if not found.ratio:
        return f"{word}: {found.goal}"
    r = found.ratio
    return f"{word}: {r.middle:.2f} ({r.least:.2f}..{r.most:.2f}) of {r.of}, goal {found.goal.most:g}"


def table(scenarios, results, peers):
    out = []
    width = max(10, *(len(p) + 2 for p in peers))
    out.append(f"{'scenario':20} {'unit':27}" + "".join(f"{p:>{width}}" for p in peers) + "   goals of verge")
    last = None
    for scenario, metric, figures, verdicts in rows(scenarios, results):
        name = scenario.name if scenario.name != last else ""
        last = scenario.name
        cells = "".join(f"{number(stats.median(figures[p])):>{width}}" for p in peers)
        out.append(f"{name:20} {metric.unit:27}{cells}   " + "; ".join(verdict(v) for v in verdicts))
    left_out = [(scenario.name, peer, reasons) for scenario in scenarios
                for peer, reasons in results.refused.get(scenario.name, {}).items()]
    if left_out:
        out.append("\nnot compared:")
        out += [f"  {name:20} {peer:13} {'; '.join(reason.splitlines()[0] for reason in reasons)}"
                for name, peer, reasons in left_out]
    notes = [(name, peer, text) for name, of in results.notes.items() for peer, texts in of.items() for text in texts]
    if notes:
        out.append("\nnotes:")
        out += [f"  {name:20} {peer:13} {text}" for name, peer, text in notes]
    return "\n".join(out)


def summary(scenarios, results):
    """One line on how many goals are met; and the names of those that are not."""
    all_of = [(f"{s.name} ({m.unit})", v) for s, m, _, verdicts in rows(scenarios, results) for v in verdicts]
    judged = [v for _, v in all_of if v.met is not None]
    missed = [name for name, v in all_of if v.met is False]
    return f"goals: {sum(v.met for v in judged)} of {len(judged)} met", missed


def as_json(scenarios, results, peers, versions, options):
    said = []
    for scenario, metric, figures, verdicts in rows(scenarios, results):
        said.append({
            "scenario": scenario.name, "metric": metric.key, "unit": metric.unit,
            "lower_is_better": metric.lower_is_better,
            "rounds": figures, "median": {p: stats.median(figures[p]) for p in peers},
            "goals": [{"goal": str(v.goal), "most": v.goal.most, "met": v.met,
                       "ratio": v.ratio and {"of": v.ratio.of, "median": v.ratio.middle, "least": v.ratio.least,
                                             "most": v.ratio.most}} for v in verdicts]})
    with open("/proc/cpuinfo") as file:
        cpu = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "?")
    return {"machine": {"cpu": cpu, "cores": os.cpu_count(), "kernel": platform.release()}, "versions": versions,
            "rounds": options.rounds, "seconds": options.seconds, "stopped": results.stopped, "rows": said,
            "not_compared": results.refused, "notes": results.notes}


def compare(before, now):
    """Of two JSONs: a line for each figure of ours that is above WORSE times what it was. How the others moved in that
    row tells a change of the machine from one of ours."""
    was = {(r["scenario"], r["metric"]): r for r in before["rows"]}
    out = []
    for row in now["rows"]:
        old = was.get((row["scenario"], row["metric"]))
        if not old or not row["lower_is_better"]:
            continue
        a, b = old["median"].get(OURS), row["median"].get(OURS)
        if not a or b is None or b <= WORSE * a:
            continue
        moved = [row["median"][p] / old["median"][p] for p in row["median"]
                 if not p.startswith(OURS) and row["median"].get(p) and old["median"].get(p)]
        others = f", the others {stats.median(moved):.2f}" if moved else ""
        out.append(f"worse: {row['scenario']} ({row['unit']}): {number(a)} -> {number(b)}, {b / a:.2f} times{others}")
    return out


def read(path):
    with open(path) as file:
        return json.load(file)
