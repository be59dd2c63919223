"""The Python module's behaviour over libinvctl.

"threading.Event" and labthings' invocation contexts are what the library's calls are the
counterparts of; these tests hold it to that through a foreign-function interface, with
a real broker.
"""

import ctypes
import gc
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import invctl_ctypes as contexts  # noqa: E402

BOUND_S = 60


def eventually(condition):
    """Wait until condition() is true, with a bound."""
    until = time.monotonic() + BOUND_S
    while not condition():
        if time.monotonic() > until:
            raise AssertionError("it never came")
        time.sleep(0.001)


def setUpModule():
    os.environ["INVCTL_TABLE"] = f"python-{os.getpid()}"
    os.environ["INVCTL_STATE_DIR"] = tempfile.mkdtemp(prefix="invctl-python-")
    os.environ.pop("INVCTL_ID", None)
    os.environ.pop("INVCTL_AUTOSTART", None)
    with contexts.fake_invocation_context():
        assert contexts.table_info().broker_pid > 0


def tearDownModule():
    broker = contexts.table_info().broker_pid
    if broker > 0:
        os.kill(broker, signal.SIGTERM)
        eventually(lambda: not pathlib.Path(f"/proc/{broker}/stat").exists() or zombie(broker))
    table = pathlib.Path("/dev/shm") / os.environ["INVCTL_TABLE"]
    table.unlink(missing_ok=True)
    shutil.rmtree(os.environ["INVCTL_STATE_DIR"], ignore_errors=True)


def zombie(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def in_child(code, *arguments):
    """Run code in a Python of its own, with the same table."""
    return subprocess.Popen(
        [sys.executable, "-c", f"import invctl_ctypes as contexts, sys, uuid\n{code}", *arguments],
        cwd=HERE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class Context(unittest.TestCase):
    def test_outside_of_any_there_is_no_id(self):
        with self.assertRaises(contexts.NoInvocationContextError):
            contexts.get_invocation_id()
        with self.assertRaises(contexts.NoInvocationContextError):
            contexts.get_cancel_event()

    def test_the_id_that_was_set_is_the_current_one(self):
        id = uuid.uuid4()
        with contexts.set_invocation_id(id):
            self.assertEqual(contexts.get_invocation_id(), id)
        with self.assertRaises(contexts.NoInvocationContextError):
            contexts.get_invocation_id()

    def test_a_fake_context_has_a_fresh_id(self):
        seen = set()
        for _ in range(3):
            with contexts.fake_invocation_context() as id:
                self.assertIsInstance(id, uuid.UUID)
                self.assertEqual(id.version, 4)
                self.assertEqual(contexts.get_invocation_id(), id)
                seen.add(id)
        self.assertEqual(len(seen), 3)

    def test_contexts_nest_and_an_exception_leaves_them(self):
        with contexts.fake_invocation_context() as outer:
            with self.assertRaises(KeyError):
                with contexts.fake_invocation_context() as inner:
                    self.assertNotEqual(inner, outer)
                    self.assertEqual(contexts.get_invocation_id(), inner)
                    raise KeyError
            self.assertEqual(contexts.get_invocation_id(), outer)

    def test_a_plain_thread_has_none(self):
        errors = []

        def look():
            try:
                contexts.get_invocation_id()
            except contexts.NoInvocationContextError as error:
                errors.append(error)

        with contexts.fake_invocation_context() as id:
            thread = threading.Thread(target=look)
            thread.start()
            thread.join()
            self.assertEqual(len(errors), 1)
            self.assertEqual(contexts.get_invocation_id(), id)

    def test_the_environment_is_one(self):
        with contexts.fake_invocation_context() as id:
            child = in_child(
                "print(contexts.get_invocation_id(), flush=True)\n"
                "try: contexts.cancellable_sleep(None)\n"
                "except contexts.InvocationCancelledError: print('cancelled')\n",
            )
            _, complaint = child.communicate(timeout=BOUND_S)
            self.assertIn("NoInvocationContextError", complaint)

            os.environ["INVCTL_ID"] = str(id)
            try:
                child = in_child(
                    "print(contexts.get_invocation_id(), flush=True)\n"
                    "try: contexts.cancellable_sleep(None)\n"
                    "except contexts.InvocationCancelledError: print('cancelled')\n",
                )
            finally:
                del os.environ["INVCTL_ID"]
            self.assertEqual(child.stdout.readline().strip(), str(id))
            contexts.get_cancel_event().set()
            out, _ = child.communicate(timeout=BOUND_S)
            self.assertEqual(out.strip(), "cancelled")
            self.assertFalse(contexts.get_cancel_event().is_set())


class Event(unittest.TestCase):
    def test_there_is_one_object_per_id(self):
        id = uuid.uuid4()
        event = contexts.CancelEvent.get_for_id(id)
        self.assertIs(contexts.CancelEvent.get_for_id(id), event)
        self.assertIs(contexts.get_cancel_event(id), event)
        self.assertEqual(event.invocation_id, id)
        with self.assertRaises(RuntimeError):
            contexts.CancelEvent(id)

    def test_the_constructor_makes_the_first_one(self):
        id = uuid.uuid4()
        event = contexts.CancelEvent(id)
        self.assertIs(contexts.CancelEvent.get_for_id(id), event)
        other = contexts.CancelEvent(uuid.uuid4())
        self.assertIsNot(other, event)

    def test_out_of_scope_the_id_is_free_and_the_flag_forgotten(self):
        id = uuid.uuid4()
        event = contexts.CancelEvent(id)
        event.set()
        del event
        gc.collect()
        event = contexts.CancelEvent(id)
        self.assertFalse(event.is_set())

    def test_a_context_keeps_it(self):
        with contexts.fake_invocation_context() as id:
            contexts.get_cancel_event().set()
            gc.collect()
            self.assertTrue(contexts.get_cancel_event(id).is_set())

    def test_one_set_is_one_exception(self):
        event = contexts.CancelEvent(uuid.uuid4())
        self.assertFalse(event.is_set())
        event.raise_if_set()
        for _ in range(2):
            event.set()
            event.set()
            self.assertTrue(event.is_set())
            with self.assertRaises(contexts.InvocationCancelledError):
                event.raise_if_set()
            self.assertFalse(event.is_set())
            event.raise_if_set()

    def test_sleep_takes_its_time_or_raises(self):
        event = contexts.CancelEvent(uuid.uuid4())
        before = time.monotonic()
        event.sleep(0.02)
        self.assertGreaterEqual(time.monotonic() - before, 0.02)
        event.set()
        with self.assertRaises(contexts.InvocationCancelledError):
            event.sleep(1e6)
        self.assertFalse(event.is_set())
        event.sleep(0)

    def test_wait_and_clear_are_those_of_an_event(self):
        event = contexts.CancelEvent(uuid.uuid4())
        self.assertIs(event.wait(0), False)
        self.assertIs(event.wait(0.01), False)
        event.set("because")
        self.assertIs(event.wait(), True)
        self.assertIs(event.is_set(), True)
        event.clear()
        self.assertIs(event.is_set(), False)
        self.assertIs(event.wait(0), False)

    def test_a_set_wakes_a_waiting_thread(self):
        event = contexts.CancelEvent(uuid.uuid4())
        results = []
        thread = threading.Thread(target=lambda: results.append(event.wait()))
        thread.start()
        event.set()
        thread.join(BOUND_S)
        self.assertEqual(results, [True])

    def test_another_process_sees_and_sets_it(self):
        id = uuid.uuid4()
        event = contexts.CancelEvent(id)
        child = in_child(
            "event = contexts.get_cancel_event(uuid.UUID(sys.argv[1]))\n"
            "print(event.is_set(), flush=True)\n"
            "print(event.wait(), flush=True)\n"
            "event.clear()\n"
            "sys.stdin.readline()\n"
            "event.set('from the child')\n",
            str(id),
        )
        self.assertEqual(child.stdout.readline().strip(), "False")
        event.set()
        self.assertEqual(child.stdout.readline().strip(), "True")
        eventually(lambda: not event.is_set())
        child.communicate("go\n", timeout=BOUND_S)
        self.assertEqual(child.returncode, 0)
        with self.assertRaises(contexts.InvocationCancelledError):
            event.sleep(None)

    def test_an_owner_that_is_killed_leaves_a_stale_event(self):
        id = uuid.uuid4()
        child = in_child(
            "event = contexts.CancelEvent(uuid.UUID(sys.argv[1]))\n"
            "print('owned', flush=True)\n"
            "event.wait()\n",
            str(id),
        )
        self.assertEqual(child.stdout.readline().strip(), "owned")
        event = contexts.CancelEvent.get_for_id(id)
        child.kill()
        child.communicate()
        with self.assertRaises(contexts.StaleEventError):
            event.wait()
        with self.assertRaises(contexts.StaleEventError):
            event.raise_if_set()

    def test_a_signal_handler_runs_during_a_sleep(self):
        event = contexts.CancelEvent(uuid.uuid4())
        seen = []

        def handler(signum, frame):
            seen.append(signum)
            event.set()

        before = signal.signal(signal.SIGUSR1, handler)
        try:
            main = threading.main_thread().ident
            ended = threading.Event()

            def interrupt():
                while not ended.wait(0.01):
                    signal.pthread_kill(main, signal.SIGUSR1)

            thread = threading.Thread(target=interrupt)
            thread.start()
            try:
                with self.assertRaises(contexts.InvocationCancelledError):
                    event.sleep(None)
            finally:
                ended.set()
                thread.join()
        finally:
            signal.signal(signal.SIGUSR1, before)
        self.assertIn(signal.SIGUSR1, seen)


class Functions(unittest.TestCase):
    def test_outside_of_any_context_they_are_plain(self):
        contexts.raise_if_cancelled()
        before = time.monotonic()
        contexts.cancellable_sleep(0.02)
        self.assertGreaterEqual(time.monotonic() - before, 0.02)

    def test_inside_they_raise_once(self):
        with contexts.fake_invocation_context():
            event = contexts.get_cancel_event()
            contexts.raise_if_cancelled()
            contexts.cancellable_sleep(0.001)
            event.set()
            with self.assertRaises(contexts.InvocationCancelledError):
                contexts.raise_if_cancelled()
            self.assertFalse(event.is_set())
            event.set()
            with self.assertRaises(contexts.InvocationCancelledError):
                contexts.cancellable_sleep(1e6)
            self.assertFalse(event.is_set())
            contexts.raise_if_cancelled()


def run_and_propagate(target, *arguments):
    """Run target in a thread of its own and pass a cancel on; gives the thread."""
    thread = contexts.ThreadWithInvocationID(target, arguments)
    thread.start()
    try:
        thread.join_and_propagate_cancel(0.01)
    except contexts.InvocationCancelledError:
        pass
    return thread


class Thread(unittest.TestCase):
    def test_it_has_an_invocation_of_its_own(self):
        thread = contexts.ThreadWithInvocationID(target=contexts.get_invocation_id)
        thread.start()
        thread.join()
        self.assertEqual(thread.result, thread.invocation_id)
        self.assertIsNone(thread.exception)

    def test_it_takes_arguments_and_keeps_the_result(self):
        thread = contexts.ThreadWithInvocationID(
            target=lambda a, b=0: a + b, args=[2], kwargs={"b": 3}
        )
        thread.start()
        thread.join()
        self.assertEqual(thread.result, 5)

    def test_it_keeps_the_exception(self):
        thread = contexts.ThreadWithInvocationID(target=lambda: 1 / 0)
        thread.start()
        thread.join()
        self.assertIsInstance(thread.exception, ZeroDivisionError)
        self.assertIsNone(thread.result)

    def test_a_cancel_ends_its_sleep(self):
        thread = contexts.ThreadWithInvocationID(contexts.cancellable_sleep, [1e6])
        thread.start()
        thread.cancel()
        thread.join(BOUND_S)
        self.assertFalse(thread.is_alive())
        self.assertIsInstance(thread.exception, contexts.InvocationCancelledError)

    def test_a_cancel_before_the_start_counts(self):
        thread = contexts.ThreadWithInvocationID(contexts.cancellable_sleep, [1e6])
        thread.cancel()
        thread.start()
        thread.join(BOUND_S)
        self.assertIsInstance(thread.exception, contexts.InvocationCancelledError)

    def test_without_a_cancel_propagation_is_a_join(self):
        with contexts.fake_invocation_context():
            thread = run_and_propagate(contexts.cancellable_sleep, 0.01)
            self.assertFalse(thread.is_alive())
            self.assertIsNone(thread.exception)

    def test_a_cancel_is_passed_on(self):
        outer = contexts.ThreadWithInvocationID(
            run_and_propagate, [contexts.cancellable_sleep, 1e6]
        )
        outer.start()
        outer.cancel()
        outer.join(BOUND_S)
        self.assertIsNone(outer.exception)
        inner = outer.result
        self.assertIsInstance(inner, contexts.ThreadWithInvocationID)
        self.assertFalse(inner.is_alive())
        self.assertIsInstance(inner.exception, contexts.InvocationCancelledError)

    def test_the_caller_has_one_exception_after_the_join(self):
        with contexts.fake_invocation_context():
            thread = contexts.ThreadWithInvocationID(contexts.cancellable_sleep, [1e6])
            thread.start()
            contexts.get_cancel_event().set()
            with self.assertRaises(contexts.InvocationCancelledError):
                thread.join_and_propagate_cancel(0.01)
            self.assertFalse(thread.is_alive())
            contexts.raise_if_cancelled()


class ForeignThread(unittest.TestCase):
    """The library's own threads, with a Python function to run."""

    def test_the_function_runs_in_its_invocation_and_is_cancelled(self):
        seen = []

        @contexts.ThreadFunction
        def sleep_until_cancelled(_):
            seen.append(contexts.get_invocation_id())
            try:
                contexts.cancellable_sleep(None)
            except contexts.InvocationCancelledError:
                return 7
            return 0

        handle = ctypes.c_void_p()
        self.assertEqual(
            contexts.thread_start(ctypes.byref(handle), None, sleep_until_cancelled, None), 0
        )
        id = (ctypes.c_uint8 * 16)()
        contexts.thread_id(handle, id)
        self.assertEqual(contexts.thread_cancel(handle), 0)
        result = ctypes.c_int()
        self.assertEqual(contexts.thread_join(handle, ctypes.byref(result)), 0)
        self.assertEqual(result.value, 7)
        self.assertEqual(seen, [uuid.UUID(bytes=bytes(id))])


if __name__ == "__main__":
    unittest.main()
