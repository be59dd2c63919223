"""The storm and its judge: storm.py SECONDS [SEED]; run.sh builds what it needs.

Every process of the storm has the table's name in its environment, so none can hide: that is
how victims are found, and how it is known that nobody is left. A victim is held by a pidfd
before it is looked at, so that no signal goes to a stranger with a recycled pid.
"""

import collections
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import aftermath

WORKERS = 12
CALM_WITHIN_S = 60
RECORDS_PER_SECOND = 1500
GROWTH_MOST_KIB = 4096
FINAL = ("completed", "cancelled", "error")

BUILD = pathlib.Path(os.environ["BUILD"])
INVCTL, INVBROKER = str(BUILD / "invctl"), str(BUILD / "invbroker")
WORKER, CENSUS = str(BUILD / "stress/worker"), str(BUILD / "stress/census")
FILL = str(BUILD / "stress/fill")


class Verdict:
    """Counts what held and what did not, and says which."""

    def __init__(self):
        self.passed = self.failed = 0

    def that(self, promise, broken):
        """A promise holds where there is nothing that breaks it."""
        broken = list(broken)
        if not broken:
            self.passed += 1
            print(f"ok - {promise}")
            return
        self.failed += 1
        print(f"not ok - {promise}: {len(broken)}")
        for one in broken[:20]:
            print(f"    {one}")

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0


class Scene:
    """A table and a state directory of the storm's own, and the processes in them."""

    invbroker = INVBROKER

    def __init__(self, seconds):
        self.table = f"storm-{os.getpid()}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="invctl-storm-"))
        self.notes = self.folder / "notes"
        self.capacity = min(1048576, max(65536, int(seconds * RECORDS_PER_SECOND)))
        self.environment = {
            key: value for key, value in os.environ.items() if not key.startswith("INVCTL_")
        }
        self.environment |= {
            "INVCTL_TABLE": self.table,
            "INVCTL_STATE_DIR": str(self.folder / "state"),
        }
        self.mark = f"INVCTL_TABLE={self.table}".encode()

    def call(self, *command, **options):
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, **options
        )

    def start_broker(self):
        self.call(
            INVBROKER, f"--table={self.table}", f"--capacity={self.capacity}", "--retain=1d"
        )

    def is_ours(self, pid):
        try:
            environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            return False
        return self.mark in environment.split(b"\0")

    def processes(self):
        """(pid, what it is) of each that has not ended."""
        for entry in os.listdir("/proc"):
            if entry.isdigit() and self.is_ours(entry):
                try:
                    words = pathlib.Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                yield int(entry), what_it_is(words)

    def kill(self, pid):
        """Whether it was killed, and not another that has its pid by now."""
        try:
            descriptor = os.pidfd_open(pid)
        except OSError:
            return False
        try:
            if not self.is_ours(pid):
                return False
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            return True
        except OSError:
            return False
        finally:
            os.close(descriptor)

    def status(self):
        result = self.call(INVCTL, "status", "--json")
        return json.loads(result.stdout) if result.returncode in (0, 1) else None

    def broker_pid(self):
        status = self.status()
        return status["broker"]["pid"] if status and status["broker"] else None

    def list(self):
        """Its rows, or none where the one who lists them was killed."""
        result = self.call(INVCTL, "list", "--all", "--json")
        return json.loads(result.stdout) if result.returncode == 0 else []

    def log(self):
        path = self.folder / "state" / self.table / "broker.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def leave(self):
        for pid, _ in self.processes():
            self.kill(pid)
        pathlib.Path("/dev/shm", self.table).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def what_it_is(words):
    program = os.path.basename(words[0].decode(errors="replace"))
    if program == "worker":
        return "worker"
    if program == "invbroker":
        return "broker"
    if program == "invctl" and words[1:2] == [b"run"]:
        return "supervisor"
    return "action"


class Witness(threading.Thread):
    """Sees ends as they are recorded, and whether one is ever told otherwise."""

    def __init__(self, scene):
        super().__init__(daemon=True)
        self.scene, self.ends, self.changed, self.looks = scene, {}, [], 0
        self.over = threading.Event()

    def look(self):
        rows = self.scene.list()
        self.looks += bool(rows)
        for row in rows:
            if row["status"] not in FINAL:
                continue
            end = (row["status"], row["cause"], row["exitStatus"], row["signal"])
            if self.ends.setdefault(row["id"], end) != end:
                self.changed.append(f"{row['id']} was {self.ends[row['id']]}, is {end}")
        return rows

    def run(self):
        while not self.over.wait(0.7):
            self.look()


class Killer:
    """SIGKILLs a few of the storm's processes at a time, as its seed determines."""

    KINDS = ["worker"] * 4 + ["supervisor"] * 3 + ["action"] * 2 + ["broker"]

    def __init__(self, scene, chance):
        self.scene, self.chance = scene, chance
        self.killed = collections.Counter()

    def strike(self):
        there = sorted(self.scene.processes())
        for _ in range(self.chance.randint(1, 4)):
            kind = self.chance.choice(self.KINDS)
            victims = [pid for pid, what in there if what == kind]
            if victims and self.scene.kill(self.chance.choice(victims)):
                self.killed[kind] += 1


class Workers:
    """Keeps as many at work as there shall be."""

    def __init__(self, scene, chance, until):
        self.scene, self.chance, self.until = scene, chance, until
        self.running, self.started, self.failures = [], 0, []
        self.messages = os.open(scene.folder / "messages", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def fill(self):
        for worker in [one for one in self.running if one.poll() is not None]:
            self.running.remove(worker)
            if worker.returncode not in (0, -signal.SIGKILL):
                self.failures.append(f"worker {worker.args[1]} exited with {worker.returncode}")
        left = self.until - time.monotonic()
        while left > 0 and len(self.running) < WORKERS:
            arguments = [WORKER, str(self.chance.getrandbits(63)), f"{left:.3f}"]
            arguments += [str(self.scene.notes), INVCTL]
            self.running.append(
                subprocess.Popen(
                    arguments, env=self.scene.environment, stdin=subprocess.DEVNULL, stderr=self.messages
                )
            )
            self.started += 1


def descriptors(pid):
    """What a process has open, without the numbers that differ from one to the next."""
    names = []
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            name = os.readlink(entry)
        except OSError:
            continue
        # One that made the table has it without a name, one that took it over by its name.
        names.append("table" if name.startswith("/dev/shm/") else re.sub(r"\d+", "N", name))
    return collections.Counter(names)


def memory_kib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {key: int(re.search(rf"^{key}:\s+(\d+)", text, re.M)[1]) for key in ("VmRSS", "RssAnon")}


def wait_for(condition, seconds=CALM_WITHIN_S):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.05)
    return False


def is_calm(scene):
    """Nobody is left but the broker, and nothing lives in the table."""
    if [what for _, what in scene.processes()] != ["broker"]:
        return False
    status = scene.status()
    return bool(status and status["broker"] and not status["live"] and status["owners"] == 1)


def rage(scene, seconds, seed):
    """The storm itself. Nobody kills brokers in its last quarter, so that one grows old."""
    chance = random.Random(seed)
    begun = time.monotonic()
    workers = Workers(scene, chance, begun + seconds)
    killer, witness = Killer(scene, chance), Witness(scene)
    witness.start()
    old_broker = None
    while time.monotonic() < workers.until:
        workers.fill()
        killer.strike()
        if old_broker is None and time.monotonic() > begun + seconds * 3 / 4:
            killer.KINDS = [kind for kind in Killer.KINDS if kind != "broker"]
            old_broker = scene.broker_pid()
        time.sleep(chance.uniform(0.002, 0.05))
    for worker in workers.running:
        try:
            worker.wait(CALM_WITHIN_S)
        except subprocess.TimeoutExpired:
            workers.failures.append(f"worker {worker.args[1]} hangs (pid {worker.pid})")
    workers.fill()
    witness.over.set()
    witness.join()
    return workers, killer, witness


def read_notes(scene):
    notes = collections.defaultdict(list)
    for line in scene.notes.read_text().splitlines():
        word, id, value = line.split(" ", 2)
        notes[word].append((id, value))
    return notes


def census(scene, ids):
    result = scene.call(CENSUS, input="".join(f"{id}\n" for id in ids))
    return {line.split()[0]: line.split()[1] for line in result.stdout.splitlines()}


ENDED_AS = {"0": ("completed",), "1": ("cancelled",), "2": ("error", "cancelled")}
SEEN_AS = {"0": ("completed",), "1": ("cancelled",), "2": ("error",)}


def exit_of(row):
    """What `invctl run` exits with where the record is this one."""
    if row["status"] == "completed":
        return (0,)
    if row["status"] == "cancelled":
        if row["cancel"] and row["cancel"]["state"] == "killed":
            return (137,)
        return (124,) if row["cause"] == "deadline" else (122,)
    if row["signal"]:
        return (128 + row["signal"],)
    return (row["exitStatus"],)


def disagreeing_exits(noted, rows):
    recorded = {row["id"]: row for row in rows}
    for id, value in noted:
        row = recorded.get(id)
        if row is None or int(value) not in exit_of(row):
            yield f"{id}: exited {value}, the record says {row}"


def disagree(noted, allows, ends):
    for id, value in noted:
        if ends.get(id) not in allows(value):
            yield f"{id}: noted {value}, the table says {ends.get(id)}"


def unexplained(rows, ends, thread_parents):
    """Records of ids that were never noted. A worker that is killed may leave one: of a thread,
    whose id it learns after the start, below what it noted before that."""
    for row in rows:
        if row["id"] in ends:
            continue
        if row["parent"] in thread_parents and row["status"] in FINAL:
            thread_parents = thread_parents - {row["parent"]}
        else:
            yield row


def judge_records(verdict, notes, rows, ends, witness):
    begun = {id for id, _ in notes["begun"]}
    times = collections.Counter(row["id"] for row in rows)
    listed = {row["id"]: row["status"] for row in rows}
    verdict.that("no answer that must never be given", (f"{i}: {v}" for i, v in notes["bad"]))
    verdict.that(
        "what was begun has ended, on record",
        (f"{id} is {ends.get(id)}" for id in begun if ends.get(id) not in FINAL),
    )
    verdict.that(
        "what was killed while it began is not there, or has ended",
        (f"{id} is {end}" for id, end in ends.items() if end not in (*FINAL, "none")),
    )
    verdict.that("each is listed once", (id for id, count in times.items() if count != 1))
    verdict.that(
        "list and inv_info_get say the same",
        (f"{id}: {ends[id]}, {listed.get(id)}" for id in ends if listed.get(id, "none") != ends[id]),
    )
    verdict.that(
        "each record is of what a worker began",
        unexplained(rows, ends, {id for id, _ in notes["thread"]}),
    )
    verdict.that("ends were watched as they came", [] if witness.looks > 1 else ["too few looks"])
    verdict.that("no end that was recorded is ever told otherwise", witness.changed)
    verdict.that(
        "no end that was seen is forgotten", (id for id in witness.ends if id not in listed)
    )
    verdict.that(
        "an end that its owner was told of is the end",
        disagree(notes["ended"], ENDED_AS.__getitem__, ends),
    )
    verdict.that(
        "an end that a waiter was told of is the end",
        disagree(notes["seen"], SEEN_AS.__getitem__, ends),
    )
    verdict.that(
        "`invctl run` exits as the record says",
        disagreeing_exits(notes["exited"], rows),
    )


def judge_calm(verdict, scene, base, base_memory):
    """What a storm leaves behind: nothing but records."""
    verdict.that(
        "no process is left, and no owner's entry",
        [] if wait_for(lambda: is_calm(scene)) else [*scene.processes(), scene.status()],
    )
    pid = scene.broker_pid()
    if pid is None:
        verdict.that("a broker serves the table", ["none"])
        return
    wait_for(lambda: descriptors(pid) == base, 5)
    now = descriptors(pid)
    verdict.that(
        "the broker has no file open beyond what it had at the start",
        [*(now - base).items(), *(base - now).items()],
    )
    memory = memory_kib(pid)
    print(f"# broker: {base_memory} KiB at the start, {memory} at the end")
    grown = memory["RssAnon"] - base_memory["RssAnon"]
    verdict.that(
        "the broker's memory has not grown", [f"by {grown} KiB"] if grown > GROWTH_MOST_KIB else []
    )


def judge_end(verdict, scene):
    pid = scene.broker_pid()
    if pid:
        os.kill(pid, signal.SIGTERM)
    gone = wait_for(lambda: not list(scene.processes()))
    verdict.that("the broker ends when it is asked to", [] if gone else scene.processes())
    left = [name for name in os.listdir("/dev/shm") if scene.table in name]
    verdict.that("nothing is in /dev/shm but the one table", [n for n in left if n != scene.table])


def print_figures(scene, notes, rows, workers, killer, witness):
    causes = collections.Counter(f"{row['status']}/{row['cause']}" for row in rows)
    log = scene.log()
    print(f"# {workers.started} workers; killed: {dict(killer.killed)}; {witness.looks} looks")
    print("# notes: " + ", ".join(f"{word} {len(noted)}" for word, noted in notes.items()))
    print(f"# records: {dict(causes)}")
    print(
        f"# brokers that took over: {len(re.findall('took over table', log))}, "
        f"actions taken over: {len(re.findall('has lost its supervisor', log))}, "
        f"lost: {sum(count for cause, count in causes.items() if cause.endswith('/lost'))}"
    )


def main():
    seconds = float(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2] else random.getrandbits(32)
    print(f"# seed {seed}, {seconds:g} s, {WORKERS} workers", flush=True)
    scene, verdict = Scene(seconds), Verdict()
    try:
        scene.start_broker()
        first = scene.broker_pid()
        base, base_memory = descriptors(first), memory_kib(first)
        workers, killer, witness = rage(scene, seconds, seed)
        if scene.broker_pid() is None:
            scene.start_broker()
        judge_calm(verdict, scene, base, base_memory)
        rows, notes = witness.look(), read_notes(scene)
        ends = census(scene, sorted({id for noted in notes.values() for id, _ in noted}))
        print_figures(scene, notes, rows, workers, killer, witness)
        verdict.that("no worker hangs or fails", workers.failures)
        judge_records(verdict, notes, rows, ends, witness)
        aftermath.judge_files(verdict, scene, rows)
        aftermath.judge_emptied(verdict, scene, wait_for, FILL)
        judge_end(verdict, scene)
    finally:
        if os.environ.get("STRESS_KEEP"):
            shutil.copytree(scene.folder, os.environ["STRESS_KEEP"], dirs_exist_ok=True)
        scene.leave()
    sys.exit(verdict.end())


main()
