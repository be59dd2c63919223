#!/usr/bin/env python3
"""Proves that the folders of lib/ and cmd/ use one another as scripts/layers.txt says.

By the #include lines, and by the objects in BUILD (build), which it makes: what one leaves
undefined and another defines is a call. Prints each violation; exits 1 if there is one.
"""

import collections
import glob
import os
import re
import subprocess
import sys

LAYERS = "scripts/layers.txt"
BUILD = os.environ.get("BUILD", "build")


def layers():
    """{folder: what it may use}, in the order of the file."""
    with open(LAYERS, encoding="utf-8") as file:
        lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return {words[0]: words[1:] for words in lines}


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def functions_of(headers):
    """What headers declare: each name before a parenthesis, outside of comments."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", "\n".join(map(read, headers)), flags=re.S)
    return set(re.findall(r"(\w+)\s*\(", text))


def why_not(user, used, uses):
    """What is wrong with a use of file `used` by file `user`."""
    order = list(uses)
    above, below = os.path.dirname(used), os.path.dirname(user)
    if above.split("/")[0] == below.split("/")[0] == "lib" and above in order:
        return "which is higher"
    return f"which {below} may not use"


def wrong_includes(files, uses):
    for user in files:
        folder = os.path.dirname(user)
        for mark, name in re.findall(r'^\s*#\s*include\s*(["<])([^">]+)', read(user), re.M):
            places = [os.path.normpath(f"{top}/{name}") for top in ("include", "lib", "cmd")]
            used = next((place for place in places if os.path.exists(place)), None)
            if used is None:
                if mark == '"':
                    yield f'{user} includes "{name}", which names no layer'
            elif os.path.dirname(used) not in ("include", folder, *uses[folder]):
                if used not in uses[folder]:
                    yield f"{user} includes {used}, {why_not(user, used, uses)}"


def symbols_of(files):
    """{file: undefined symbols}, {symbol: files that define it}"""
    undefined, defined = collections.defaultdict(set), collections.defaultdict(set)
    objects = {f"{BUILD}/{file[:-2]}.o": file for file in files if file.endswith(".c")}
    output = subprocess.run(
        ["nm", "-A", "-g", "-P", *objects], capture_output=True, text=True, check=True
    ).stdout
    for line in output.splitlines():
        path, symbol, kind = line.split()[:3]
        file = objects[path.rstrip(":")]
        if kind in "Uwv":
            undefined[file].add(symbol)
        else:
            defined[symbol].add(file)
    return undefined, defined


def calls_between(files, uses):
    """(caller, callee, symbol). Programs may each define a symbol: the nearest is meant."""
    undefined, defined = symbols_of(files)
    for caller in sorted(undefined):
        near = [os.path.dirname(caller), *uses[os.path.dirname(caller)]]
        for symbol in sorted(undefined[caller] & defined.keys()):
            callees = sorted(defined[symbol], key=lambda file: (os.path.dirname(file) not in near, file))
            yield caller, callees[0], symbol


def declared_for(folder, uses):
    """What a folder may call by a declaration alone."""
    headers = [use for use in uses[folder] if use.endswith(".h")]
    if "include" in uses[folder]:
        headers += glob.glob("include/*.h")
    return functions_of(headers)


def wrong_calls(calls, uses):
    declared = {folder: declared_for(folder, uses) for folder in uses}
    for caller, callee, symbol in calls:
        folder = os.path.dirname(caller)
        if os.path.dirname(callee) not in (folder, *uses[folder]) and symbol not in declared[folder]:
            yield f"{caller} calls {symbol} of {callee}, {why_not(caller, callee, uses)}"


def way_back(start, callees):
    """The shortest way from a file through what it calls back to itself."""
    ways, seen = collections.deque([[start]]), set()
    while ways:
        way = ways.popleft()
        for callee in sorted(callees[way[-1]]):
            if callee == start:
                return way
            if callee not in seen:
                seen.add(callee)
                ways.append([*way, callee])
    return None


def circles(calls):
    callees, told = collections.defaultdict(dict), set()
    for caller, callee, symbol in calls:
        if caller != callee and caller.startswith("lib/") and callee.startswith("lib/"):
            callees[caller][callee] = symbol
    for file in sorted(callees):
        way = file not in told and way_back(file, callees)
        if way:
            told.update(way)
            steps = zip(way, [*way[1:], way[0]])
            text = ", ".join(f"{a} calls {callees[a][b]} of {b}" for a, b in steps)
            yield f"a circle of calls: {text}"


def make_objects():
    return subprocess.run(["make", "-s", "-j2", f"BUILD={BUILD}", "objects"], check=False).returncode == 0


def main():
    uses = layers()
    files = sorted(glob.glob("lib/*/*.[ch]") + glob.glob("cmd/*/*.[ch]"))
    strange = sorted({os.path.dirname(file) for file in files} - uses.keys())
    wrong = [f"{folder} is not in {LAYERS}" for folder in strange]
    files = [file for file in files if os.path.dirname(file) not in strange]
    wrong += wrong_includes(files, uses)
    if make_objects():
        calls = list(calls_between(files, uses))
        wrong += [*wrong_calls(calls, uses), *circles(calls)]
    else:
        wrong.append("it does not build: the calls are not checked")
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


sys.exit(main())
