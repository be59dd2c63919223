"""Which lines of lib/ were run: report.py BUILD LEAST-LIST

Reads what gcov says of every object of the library in BUILD: those of the archive and those
of the shared object, a line counting as run where either has run it. Prints each file's figure
and the lines that are left out. A file fails where fewer of its lines are run than the list
demands. Ends with "N passed, N failed", one for each file.
"""

import collections
import glob
import json
import subprocess
import sys


def lines_of(build):
    """{file: {line: times run}}"""
    lines = collections.defaultdict(collections.Counter)
    for notes in sorted(glob.glob(f"{build}/lib/*/*.gcno")):
        output = subprocess.run(
            ["gcov", "--json-format", "--stdout", notes], capture_output=True, text=True, check=True
        ).stdout
        for source in json.loads(output)["files"]:
            if source["file"].startswith("lib/"):
                for line in source["lines"]:
                    lines[source["file"]][line["line_number"]] += line["count"]
    return lines


def least_of(path):
    """{file: percent}, with "default"."""
    with open(path, encoding="utf-8") as file:
        rows = [line.split(maxsplit=2) for line in file if line.strip() and line[0] != "#"]
    return {name: float(percent) for name, percent, _ in rows}


def print_left_out(name, counts):
    with open(name, encoding="utf-8") as file:
        source = file.read().splitlines()
    for number, times in sorted(counts.items()):
        if times == 0:
            print(f"{name}:{number}: {source[number - 1].strip()}")


def print_figure(name, counts, least):
    """Whether enough of the lines are run."""
    run = sum(times > 0 for times in counts.values())
    percent = 100 * run / len(counts)
    verdict = "" if percent >= least else f"  FAILED: at least {least:g} % must be run"
    print(f"{name:26}{run:5} of {len(counts):4} lines  {percent:5.1f} %{verdict}")
    return percent >= least


def main(build, list_path):
    lines, least = lines_of(build), least_of(list_path)
    for name in sorted(lines):
        print_left_out(name, lines[name])
    print()
    verdicts = [
        print_figure(name, lines[name], least.get(name, least["default"])) for name in sorted(lines)
    ]
    for name in least.keys() - lines.keys() - {"default"}:
        print(f"{list_path}: there is no {name}")
        verdicts.append(False)
    every = {(name, number): times for name in lines for number, times in lines[name].items()}
    verdicts.append(print_figure("total", every, least["default"]))
    print(f"{verdicts.count(True)} passed, {verdicts.count(False)} failed")
    return 0 if all(verdicts) else 1


sys.exit(main(*sys.argv[1:]))
