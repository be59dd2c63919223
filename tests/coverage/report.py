"""Tells which lines of lib/ were run: report.py BUILD LEFT-OUT-LIST

Reads what gcov says of every object of the library in BUILD: those of the archive and those
of the shared object, a line counting as run where either has run it. A line of the list is

    FILE FUNCTION MOST-LINES REASON

and explains why up to so many lines of a function are not run. Ends with "N passed, N failed":
each function with lines left out, and the total, is one of either.
"""

import collections
import glob
import json
import subprocess
import sys

LEAST_PERCENT = 90


def lines_of(build):
    """{file: {line: [times run, function]}}, and the names of all functions of each file."""
    lines = collections.defaultdict(dict)
    functions = collections.defaultdict(set)
    for notes in sorted(glob.glob(f"{build}/lib/*/*.gcno")):
        told = subprocess.run(
            ["gcov", "--json-format", "--stdout", notes], capture_output=True, text=True, check=True
        )
        for source in json.loads(told.stdout)["files"]:
            name = source["file"]
            if not name.startswith("lib/"):
                continue
            functions[name].update(function["name"] for function in source["functions"])
            for line in source["lines"]:
                entry = lines[name].setdefault(line["line_number"], [0, None])
                entry[0] += line["count"]
                entry[1] = entry[1] or line.get("function_name")
    return lines, functions


def reasons_of(path):
    """{(file, function): (most lines, reason)}"""
    reasons = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                name, function, most, reason = line.split(maxsplit=3)
                reasons[name, function] = int(most), reason.strip()
    return reasons


def print_figures(lines):
    all_run = all_lines = 0
    for name in sorted(lines):
        count = len(lines[name])
        run = sum(times > 0 for times, _ in lines[name].values())
        all_run += run
        all_lines += count
        print(f"{name:22}{run:5} of {count:4} lines  {100 * run / count:5.1f} %")
    percent = 100 * all_run / all_lines
    print(f"{'total':22}{all_run:5} of {all_lines:4} lines  {percent:5.1f} %")
    return percent


def left_out(lines):
    """{(file, function): [line numbers]} of what was not run."""
    missing = collections.defaultdict(list)
    for name in sorted(lines):
        for number, (times, function) in sorted(lines[name].items()):
            if times == 0:
                missing[name, function].append(number)
    return missing


def print_left_out(missing, reasons):
    """How many functions are explained, and how many are not."""
    explained = 0
    for (name, function), numbers in missing.items():
        most, reason = reasons.get((name, function), (0, "not explained"))
        if len(numbers) <= most:
            explained += 1
        elif most > 0:
            reason = f"not explained: {len(numbers)} lines, where {most} are known ({reason})"
        print(f"\n{name} {function}: {reason}")
        with open(name, encoding="utf-8") as file:
            source = file.read().splitlines()
        for number in numbers:
            print(f"{number:6}  {source[number - 1]}")
    return explained, len(missing) - explained


def main(build, list_path):
    lines, functions = lines_of(build)
    reasons = reasons_of(list_path)
    percent = print_figures(lines)
    passed, failed = print_left_out(left_out(lines), reasons)
    for name, function in reasons:
        if function not in functions[name]:
            print(f"\n{list_path}: {name} has no function {function}")
            failed += 1
    print()
    if percent > LEAST_PERCENT:
        passed += 1
    else:
        failed += 1
        print(f"more than {LEAST_PERCENT} % of the lines must be run")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main(*sys.argv[1:]))
