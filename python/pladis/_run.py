# SPDX-License-Identifier: Apache-2.0
"""Long calls of the library that Ctrl-C can end."""
from __future__ import annotations

import threading
from collections.abc import Callable
from ctypes import c_int


def interruptibly(work: Callable[[], None], cancel: c_int) -> None:
    """Do it. On the main thread it runs beside it, so that Ctrl-C is noticed while the library computes: `cancel`, which the library looks
    at, becomes 1, and the interrupt is raised when the library has come back."""
    if threading.current_thread() is not threading.main_thread():
        work()
        return
    problems: list[BaseException] = []
    done = threading.Event() # a thread that is joined counts as ended once Ctrl-C has broken the joining off

    def run() -> None:
        try:
            work()
        except BaseException as problem: # noqa: BLE001 # raised again below
            problems.append(problem)
        finally:
            done.set()

    threading.Thread(target=run, name="pladis", daemon=True).start()
    try:
        while not done.wait(0.05):
            pass
    except BaseException:
        cancel.value = 1
        while not done.wait(0.05):
            pass
        raise
    if problems:
        raise problems[0]
