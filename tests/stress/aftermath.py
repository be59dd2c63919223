"""What a storm must not leave behind once its records have had their time.

Each file in the state directory belongs to a record; and when a broker has retired the
records, their run files are gone (logs and output are kept for longer), and every place of
the table can be taken and given back.
"""

import os
import re
import signal

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def files_of_invocations(scene):
    folder = scene.folder / "state" / scene.table
    return [path.name for path in folder.iterdir() if ID.match(path.name)]


def run_files(scene):
    return [name for name in files_of_invocations(scene) if name.endswith(".run")]


def files_without_record(scene, rows):
    recorded = {row["id"] for row in rows}
    return [name for name in files_of_invocations(scene) if ID.match(name)[0] not in recorded]


def judge_files(verdict, scene, rows):
    names = files_of_invocations(scene)
    print(f"# {len(names)} files of {len(rows)} records in the state directory")
    verdict.that("no file is left without a record", files_without_record(scene, rows))


def use_of_table(scene):
    status = scene.status()
    return (status["live"], status["finished"], status["owners"]) if status else None


def judge_emptied(verdict, scene, wait_for, fill):
    """A broker that keeps nothing makes room; then each place is taken once."""
    os.kill(scene.broker_pid(), signal.SIGTERM)
    wait_for(lambda: not list(scene.processes()))
    scene.call(scene.invbroker, f"--table={scene.table}", "--retain=0")
    emptied = wait_for(lambda: use_of_table(scene) == (0, 0, 1))
    verdict.that("all records are retired", [] if emptied else [use_of_table(scene)])
    wait_for(lambda: not run_files(scene), 10)
    verdict.that("their run files are gone with them", run_files(scene))
    filled = scene.call(fill, "1")
    print(f"# places and times that the table was filled then: {filled.stdout.strip()}")
    verdict.that(
        "no place of the table is lost",
        [] if filled.stdout.startswith(f"{scene.capacity} ") else [filled.stderr],
    )
