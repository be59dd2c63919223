"""From samples to ratios: the table, its JSON, and its plots.

The ratio of a row is the median of the ratios of its rounds, each of which has measured both
sides one right after the other; the spread is their middle half.
"""

import datetime
import json
import math
import os
import platform

WIDTH, ROW, LEFT, RIGHT, TOP = 900, 26, 400, 120, 60
GROWTH_LINES = {
    "register": "#1f77b4", "find": "#2ca02c", "cancel": "#d62728", "list": "#9467bd",
    "list command": "#8c564b", "retire": "#e377c2", "sweep": "#7f7f7f",
}


def quantile(samples, part):
    ordered = sorted(samples)
    place = part * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def median(samples):
    return quantile(samples, 0.5)


def evaluate_row(goal, row):
    ratios = [ours / beside for ours, beside in zip(row["ours"], row["beside"]) if beside > 0]
    ratio = median(ratios)
    wanted = goal.get("goal")
    if wanted is None:
        verdict = "for comparison"
    elif goal.get("more_is_better"):
        verdict = "pass" if ratio >= wanted else "MISS"
    else:
        verdict = "pass" if ratio <= wanted else "MISS"
    return {**goal, "ratio": ratio, "spread": [quantile(ratios, 0.25), quantile(ratios, 0.75)],
            "ours_median": median(row["ours"]), "beside_median": median(row["beside"]),
            "unit": row["unit"], "rounds": len(ratios), "verdict": verdict}


def evaluate(goals, rows, growth, seconds, quick):
    return {
        "time": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "machine": {"system": platform.release(), "processors": os.cpu_count(),
                    "load": os.getloadavg()[0]},
        "quick": quick,
        "seconds": seconds,
        "rows": [evaluate_row(goal, rows[goal["what"]]) for goal in goals if goal["what"] in rows],
        "growth": growth,
    }


def goal_text(row):
    if "goal" not in row:
        return ""
    return f"{'≥' if row.get('more_is_better') else '≤'} {row['goal']:g}"


def spread_text(row):
    if row["rounds"] == 1:
        return ""
    return "{:.2f} - {:.2f}".format(*row["spread"])


def number_text(number):
    return f"{number:.2f}" if number < 100 else f"{number:.0f}"


def print_table(result):
    form = "{:<42} {:<48} {:>8} {:>8}  {:<14} {}"
    print(form.format("what", "beside", "goal", "ratio", "spread", ""))
    for row in result["rows"]:
        print(form.format(row["title"], row["beside"], goal_text(row), number_text(row["ratio"]),
                          spread_text(row), row["verdict"]))
    if result["growth"]:
        print_growth(result["growth"])
    print(f"{result['seconds']:.0f} s; {result['machine']['processors']} processors, "
          f"load {result['machine']['load']:.1f} at the end")


def time_text(ns):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return f"{ns / size:.2f} {unit}"
    return f"{ns:.0f} ns"


def print_growth(points):
    names = [name for name in GROWTH_LINES if any(name in point for point in points)]
    print("\n{:>10}".format("live") + "".join(f"{name:>14}" for name in names))
    for point in points:
        print(f"{point['live']:>10,}" + "".join(
            f"{time_text(point[name]) if name in point else '':>14}" for name in names))
    print()


def text(x, y, words, anchor="start", size=12, colour="#222"):
    words = words.replace("&", "&amp;").replace("<", "&lt;")
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
            f'fill="{colour}">{words}</text>')


def svg(width, height, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'font-family="sans-serif">\n<rect width="100%" height="100%" fill="white"/>\n'
            + "\n".join(parts) + "\n</svg>\n")


def cost_of_goal(row):
    """How much of what the goal allows is used: 1 is just met, less is better."""
    if row["goal"] == 0:
        return 1 + row["ratio"]
    return row["goal"] / row["ratio"] if row.get("more_is_better") else row["ratio"] / row["goal"]


def bars(rows):
    """A bar for each row against the line of its goal."""
    rows = [row for row in rows if "goal" in row]
    scale = (WIDTH - LEFT - RIGHT) / max([1.5] + [min(cost_of_goal(row), 3) for row in rows])
    bottom = TOP + ROW * len(rows)
    parts = [text(10, 24, "Used of what the goal allows (the line: just met; shorter is better)",
                  size=15)]
    for i, row in enumerate(rows):
        y = TOP + i * ROW
        length = min(cost_of_goal(row), 3) * scale
        colour = "#2ca02c" if row["verdict"] == "pass" else "#d62728"
        parts.append(text(LEFT - 8, y + 16, f"{row['title'].strip()} / {row['beside'][:28]}", "end", 11))
        parts.append(f'<rect x="{LEFT}" y="{y + 4}" width="{length:.1f}" height="{ROW - 9}" '
                     f'fill="{colour}"/>')
        parts.append(text(LEFT + length + 6, y + 16,
                          f"{number_text(row['ratio'])} ({goal_text(row)})", size=11))
    parts.append(f'<line x1="{LEFT + scale:.1f}" x2="{LEFT + scale:.1f}" y1="{TOP - 8}" '
                 f'y2="{bottom}" stroke="black" stroke-dasharray="4 3"/>')
    return svg(WIDTH, bottom + 20, parts)


def growth_plot(points):
    """Cost over the number of live invocations, both logarithmic."""
    height, bottom, left, right = 520, 460, 80, 720
    names = [name for name in GROWTH_LINES if any(name in point for point in points)]
    costs = [math.log10(point[name]) for point in points for name in names if name in point]
    low, high = math.floor(min(costs)), math.ceil(max(costs))
    most = math.log10(max(point["live"] for point in points))

    def place(live, ns):
        return (left + (math.log10(live) - 1) / (most - 1) * (right - left),
                bottom - (math.log10(ns) - low) / (high - low) * (bottom - TOP))

    parts = [text(10, 24, "What an operation costs among so many live invocations", size=15)]
    for power in range(low, high + 1):
        y = place(10, 10 ** power)[1]
        parts.append(f'<line x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(text(left - 8, y + 4, time_text(10 ** power), "end", 11))
    for point in points:
        parts.append(text(place(point["live"], 10 ** low)[0], bottom + 20,
                          f"{point['live']:,}", "middle", 11))
    for name in names:
        line = [place(point["live"], point[name]) for point in points if name in point]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{GROWTH_LINES[name]}" '
                     f'stroke-width="2"/>')
        parts.append(text(line[-1][0] + 8, line[-1][1] + 4, name, colour=GROWTH_LINES[name]))
    return svg(WIDTH, height, parts)


def write(result, directory):
    files = {"result.json": json.dumps(result, indent=1, ensure_ascii=False) + "\n"}
    if result["rows"]:
        files["result.svg"] = bars(result["rows"])
    if len(result["growth"]) > 1:
        files["growth.svg"] = growth_plot(result["growth"])
    for name, content in files.items():
        path = os.path.join(directory, name)
        with open(path, "w") as file:
            file.write(content)
        print(f"written: {os.path.relpath(path)}")
