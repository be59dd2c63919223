"""The interface of labthings_fastapi.invocation_contexts, over libinvctl.

Contexts are the library's: of the calling thread, and below them INVCTL_ID. An event is
one object per id in this process, and one flag per id in every process of the table.

INVCTL_LIBRARY names the shared library; without it that of the build beside the tests.
"""

import ctypes
import errno
import os
import pathlib
import threading
import time
import uuid
import weakref
from contextlib import contextmanager

_BUILD = os.environ.get("BUILD", "build")
_DEFAULT_LIBRARY = pathlib.Path(__file__).resolve().parents[2] / _BUILD / "libinvctl.so"

FOREVER = -1
_NANOSECONDS = 1_000_000_000
_LONGEST_NS = 2**63 - 1

_Id = ctypes.c_uint8 * 16
_lib = ctypes.CDLL(os.environ.get("INVCTL_LIBRARY", str(_DEFAULT_LIBRARY)))


class TableInfo(ctypes.Structure):
    """struct inv_table_info"""

    _fields_ = [
        ("name", ctypes.c_char * 65),
        ("epoch", ctypes.c_uint64),
        ("capacity", ctypes.c_uint32),
        ("live", ctypes.c_uint32),
        ("finished", ctypes.c_uint32),
        ("owners", ctypes.c_uint32),
        ("owner_limit", ctypes.c_uint32),
        ("uid", ctypes.c_uint32),
        ("gid", ctypes.c_uint32),
        ("shared", ctypes.c_int32),
        ("serving", ctypes.c_int32),
        ("broker_pid", ctypes.c_int32),
        ("broker_since_ns", ctypes.c_int64),
        ("broker_version", ctypes.c_char * 16),
        ("unlinked", ctypes.c_int32),
        ("unseen_owners", ctypes.c_uint32),
        ("retain_ns", ctypes.c_int64),
        ("bytes", ctypes.c_uint64),
    ]


def _declare(name, result, *arguments):
    function = getattr(_lib, name)
    function.restype = result
    function.argtypes = arguments
    return function


_P, _INT, _NS = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
_OUT = ctypes.POINTER(ctypes.c_void_p)
ThreadFunction = ctypes.CFUNCTYPE(_INT, _P)

_current_id = _declare("inv_current_id", _INT, _Id)
_context_enter = _declare("inv_context_enter", _INT, _P, _P, _OUT)
_context_leave = _declare("inv_context_leave", _INT, _P)
_event_create = _declare("inv_event_create", _INT, _P, _Id, _OUT)
_event_get = _declare("inv_event_get", _INT, _P, _Id, _OUT)
_event_put = _declare("inv_event_put", None, _P)
_event_is_set = _declare("inv_event_is_set", _INT, _P)
_event_set = _declare("inv_event_set", _INT, _P, ctypes.c_char_p)
_event_clear = _declare("inv_event_clear", _INT, _P)
_event_wait = _declare("inv_event_wait", _INT, _P, _NS)
_event_check = _declare("inv_event_check", _INT, _P)
_event_sleep = _declare("inv_event_sleep", _INT, _P, _NS)
_check = _declare("inv_check", _INT)
_sleep = _declare("inv_sleep", _INT, _NS)
_strerror = _declare("inv_strerror", ctypes.c_char_p, _INT)
_table_info_get = _declare("inv_table_info_get", _INT, _P, ctypes.POINTER(TableInfo))
thread_start = _declare("inv_thread_start", _INT, _OUT, _P, ThreadFunction, _P)
thread_id = _declare("inv_thread_id", None, _P, _Id)
thread_cancel = _declare("inv_thread_cancel", _INT, _P)
thread_join = _declare("inv_thread_join", _INT, _P, ctypes.POINTER(_INT))


class NoInvocationContextError(RuntimeError):
    """There is no invocation to speak of here."""


class InvocationCancelledError(BaseException):
    """The invocation was asked to stop.

    As upstream not an Exception, so that a broad `except Exception` does not swallow it.
    """


class StaleEventError(RuntimeError):
    """The invocation has ended, or the event's owner has left."""


def _failure(error):
    if error == -errno.ENXIO:
        return NoInvocationContextError("called from outside of an invocation")
    if error == -errno.ECANCELED:
        return InvocationCancelledError("The action was cancelled.")
    if error == -errno.ESTALE:
        return StaleEventError(_strerror(error).decode())
    return OSError(-error, _strerror(error).decode())


def _answer(result):
    if result < 0:
        raise _failure(result)
    return result


def _to_ns(seconds):
    if seconds is None:
        return FOREVER
    return min(max(0, int(seconds * _NANOSECONDS)), _LONGEST_NS)


def _blocking(function, timeout_ns):
    """Call function(timeout), again with what is left of it where a signal came: Python
    runs its handlers in between, and they may raise."""
    deadline = time.monotonic_ns() + timeout_ns
    while True:
        result = function(timeout_ns)
        if result != -errno.EINTR:
            return _answer(result)
        if timeout_ns != FOREVER:
            timeout_ns = max(0, deadline - time.monotonic_ns())


def _bytes_of(invocation_id):
    return _Id.from_buffer_copy(invocation_id.bytes)


def get_invocation_id():
    """The current invocation's UUID."""
    current = _Id()
    _answer(_current_id(current))
    return uuid.UUID(bytes=bytes(current))


@contextmanager
def set_invocation_id(id):
    """Make id the current invocation of this thread, and keep its event alive."""
    context = ctypes.c_void_p()
    _answer(_context_enter(None, _bytes_of(id), ctypes.byref(context)))
    try:
        yield
    finally:
        _answer(_context_leave(context))


@contextmanager
def fake_invocation_context():
    """Make a fresh id the current invocation; yields it."""
    context = ctypes.c_void_p()
    _answer(_context_enter(None, None, ctypes.byref(context)))
    try:
        yield get_invocation_id()
    finally:
        _answer(_context_leave(context))


class CancelEvent:
    """The cancel event of one invocation: threading.Event across processes."""

    _events = weakref.WeakValueDictionary()
    _lock = threading.RLock()

    def __init__(self, id):
        self._attach(id, _event_create)

    def _attach(self, id, function):
        handle = ctypes.c_void_p()
        with self._lock:
            error = function(None, _bytes_of(id), ctypes.byref(handle))
            if error == -errno.EEXIST:
                raise RuntimeError(
                    f"Invocation {id} has a CancelEvent; CancelEvent.get_for_id gives it."
                )
            _answer(error)
            self._handle = handle
            self.invocation_id = id
            self._events[id] = self
        weakref.finalize(self, _event_put, handle)

    @classmethod
    def get_for_id(cls, id):
        """The event there is, or a new one."""
        with cls._lock:
            event = cls._events.get(id)
            if event is None:
                event = cls.__new__(cls)
                event._attach(id, _event_get)
            return event

    def is_set(self):
        return bool(_answer(_event_is_set(self._handle)))

    def set(self, reason=None):
        _answer(_event_set(self._handle, reason.encode() if reason else None))

    def clear(self):
        _answer(_event_clear(self._handle))

    def wait(self, timeout=None):
        """Whether it was set in that time. Consumes nothing."""
        return bool(_blocking(lambda left: _event_wait(self._handle, left), _to_ns(timeout)))

    def raise_if_set(self):
        """InvocationCancelledError where it is set, and clears it."""
        _answer(_event_check(self._handle))

    def sleep(self, timeout):
        """Sleep that long; InvocationCancelledError, and clears it, where it is set."""
        _blocking(lambda left: _event_sleep(self._handle, left), _to_ns(timeout))


def get_cancel_event(id=None):
    """The event of id, or of the current invocation."""
    return CancelEvent.get_for_id(get_invocation_id() if id is None else id)


def cancellable_sleep(interval):
    """time.sleep that ends with InvocationCancelledError when the invocation is cancelled."""
    _blocking(_sleep, _to_ns(interval))


def raise_if_cancelled():
    """InvocationCancelledError where the current invocation is asked to stop."""
    _answer(_check())


class ThreadWithInvocationID(threading.Thread):
    """A thread in an invocation of its own, with its result, its exception and cancel()."""

    def __init__(self, target, args=(), kwargs=None, **thread_options):
        super().__init__(**thread_options)
        self._work = (target, tuple(args), dict(kwargs or {}))
        self._invocation_id = uuid.uuid4()
        self._result = None
        self._exception = None
        # Kept, so that a cancel before the start counts.
        self._cancel_event = CancelEvent.get_for_id(self._invocation_id)

    @property
    def invocation_id(self):
        return self._invocation_id

    @property
    def result(self):
        return self._result

    @property
    def exception(self):
        return self._exception

    def run(self):
        target, args, kwargs = self._work
        del self._work
        try:
            with set_invocation_id(self._invocation_id):
                if target is not None:
                    self._result = target(*args, **kwargs)
        except BaseException as exception:
            self._exception = exception

    def cancel(self):
        """Ask it to stop."""
        self._cancel_event.set()

    def join_and_propagate_cancel(self, poll_interval=0.2):
        """Join; a cancel of the caller is passed on, and raised after the join."""
        cancelled = None
        while self.is_alive():
            try:
                raise_if_cancelled()
            except InvocationCancelledError as exception:
                cancelled = exception
                self.cancel()
            self.join(timeout=poll_interval)
        if cancelled is not None:
            raise InvocationCancelledError("The action was cancelled.") from cancelled


def table_info():
    """What is known of the default table."""
    info = TableInfo()
    _answer(_table_info_get(None, ctypes.byref(info)))
    return info
