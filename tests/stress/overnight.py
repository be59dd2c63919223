#!/usr/bin/env python3
"""Stops examples/overnight.sh at random moments and in every way, and sees its stage parked each time.

    overnight.py COUNT     in a new folder below the working directory each; INVCTL names the command

Run by dash and by bash in turn, with a finish command or (where the script itself lives on) without.
Prints how often each way came out well, and ends with "N of N parked". Exits 1 where it was not.
"""
import concurrent.futures
import os
import pty
import random
import re
import signal
import subprocess
import sys
import time
import uuid

INVCTL = os.environ["INVCTL"]
SCRIPT = os.environ["OVERNIGHT"]
PATIENCE_S = 60
WORKERS = 6


def is_broker(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as file:
            return file.read() == "invbroker\n"
    except OSError:
        return False


def descendants(pid):
    """The process and all below it, itself first: so none starts another one meanwhile. A broker that
    one of them has started is there for all invocations."""
    found = [pid]
    for process in found:
        try:
            with open(f"/proc/{process}/task/{process}/children", encoding="ascii") as file:
                children = [int(child) for child in file.read().split()]
        except OSError:
            continue
        found += [child for child in children if not is_broker(child)]
    return found


def kill(pid, signum=signal.SIGKILL):
    try:
        os.kill(pid, signum)
    except ProcessLookupError:
        pass


def broker_pid():
    status = subprocess.run([INVCTL, "status", "--json"], capture_output=True, text=True, check=False)
    found = re.search(r'"broker": *\{[^}]*"pid": *(\d+)', status.stdout)
    return int(found.group(1)) if found else 0


def is_gone(pid):
    """Its locks are free: a process that is ending still has them."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def cancel(attempt):
    subprocess.run([INVCTL, "cancel", "--idempotent", attempt.id], check=False,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def cancel_without_broker(attempt):
    broker = broker_pid()
    if broker:
        kill(broker)
        while not is_gone(broker):
            time.sleep(0.001)
    cancel(attempt)


def cancel_without_supervisor(attempt):
    kill(attempt.pid)
    cancel(attempt)


def kill_everything(attempt):
    for process in descendants(attempt.pid):
        kill(process)


# How it is stopped; whether the script itself may be killed, so that only a finish command parks.
WAYS = {
    "cancel": (cancel, False),
    "ctrl-c": (lambda attempt: os.write(attempt.terminal, b"\x03"), False),
    "SIGTERM to run": (lambda attempt: kill(attempt.pid, signal.SIGTERM), False),
    "closed terminal": (lambda attempt: attempt.close_terminal(), False),
    "broker killed, cancel": (cancel_without_broker, False),
    "supervisor killed, cancel": (cancel_without_supervisor, True),
    "all killed": (kill_everything, True),
}


class Attempt:
    """One run of the script, in a terminal and a folder of its own."""

    def __init__(self, number):
        self.way = list(WAYS)[number % len(WAYS)]
        stop, only_finish = WAYS[self.way]
        self.stop = stop
        self.finish = only_finish or number // len(WAYS) % 2 == 0
        self.shell = ("dash", "bash")[number // (2 * len(WAYS)) % 2]
        self.id = str(uuid.uuid4())
        self.folder = os.path.abspath(f"attempt-{number}")
        self.delay_s = random.uniform(0, 0.5)
        os.mkdir(self.folder)
        self.pid, self.terminal = -1, -1

    def start(self):
        finish = [f"--finish={SCRIPT} --park"] if self.finish else []
        command = [INVCTL, "run", "--id", self.id, *finish, "--", self.shell, SCRIPT, "1000"]
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(self.folder)
            os.execv(INVCTL, command)

    def close_terminal(self):
        if self.terminal >= 0:
            os.close(self.terminal)
            self.terminal = -1

    def is_registered(self):
        shown = subprocess.run([INVCTL, "show", "--json", self.id], capture_output=True, check=False)
        return shown.returncode == 0 and b'"running"' in shown.stdout

    def end(self):
        """Wait for the supervisor, then for the invocation, which may outlive it."""
        until = time.monotonic() + PATIENCE_S
        while os.waitpid(self.pid, os.WNOHANG)[0] == 0 and time.monotonic() < until:
            if self.terminal >= 0:
                self.drain()
            time.sleep(0.01)
        ended = subprocess.run([INVCTL, "wait", "--timeout", str(PATIENCE_S), self.id], check=False,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.close_terminal()
        if ended.returncode == 119:
            print(f"still runs after {PATIENCE_S} s: {self.id}")
        return ended.returncode != 119

    def drain(self):
        os.set_blocking(self.terminal, False)
        try:
            os.read(self.terminal, 65536)
        except OSError:
            pass

    def stage(self):
        try:
            with open(f"{self.folder}/stage.txt", encoding="ascii") as file:
                return file.read().strip()
        except FileNotFoundError:
            return None if self.finish else "parked"  # it has never moved

    def run(self):
        self.start()
        until = time.monotonic() + PATIENCE_S
        while not self.is_registered() and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(self.delay_s)
        self.stop(self)
        ended = self.end()
        return ended and self.stage() == "parked"


def attempt(number):
    one = Attempt(number)
    return one, one.run()


def main():
    count = int(sys.argv[1])
    random.seed()
    results = {way: [0, 0] for way in WAYS}
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for one, parked in pool.map(attempt, range(count)):
            results[one.way][0] += parked
            results[one.way][1] += 1
            if not parked:
                print(f"NOT PARKED: {one.way}, {one.shell}, finish command {one.finish}, after "
                      f"{one.delay_s:.3f} s: stage {one.stage()}, {one.folder}, {one.id}")
    for way, (parked, tried) in results.items():
        print(f"{way}: {parked} of {tried}")
    parked = sum(parked for parked, _ in results.values())
    print(f"{parked} of {count} parked")
    return 0 if parked == count else 1


if __name__ == "__main__":
    sys.exit(main())
