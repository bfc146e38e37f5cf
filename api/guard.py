"""What the command line shows besides its answer: problems, progress, and what stands after Ctrl-C.

All of it goes to stderr, so that the answer can be piped. No traceback and no person's value is shown.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from typer.core import TyperGroup
from typer.exceptions import TyperException

from engine.errors import Problem, RunError, WardwiseError

INTERRUPTED = 130
_STANDS = "What was finished before stands; nothing half-done was kept."


class Doors(TyperGroup):
    """The commands, each behind the same guard."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command asked for."""
        with guard():
            return super().invoke(ctx)


@contextmanager
def guard() -> Iterator[None]:
    """Turns errors into problems with an exit code, and Ctrl-C into a sentence and 130."""
    pressed = threading.Event()
    try:
        with _listening(pressed):
            yield
    except BaseException as error:
        if pressed.is_set() or isinstance(error, KeyboardInterrupt):
            # A library may have turned the interrupt into an error of its own (DuckDB does).
            tell("Stopped. " + " ".join(getattr(error, "__notes__", [_STANDS])))
            raise typer.Exit(INTERRUPTED) from None
        if _passes(error):
            raise
        problem = _describe(error)
        show_problems(problem)
        raise typer.Exit(problem.exit_code) from None


@contextmanager
def standing(say: Callable[[], str]) -> Iterator[None]:
    """Where Ctrl-C would leave more than nothing: `say` tells what stands."""
    try:
        yield
    except BaseException as error:
        error.add_note(say())
        raise


def show_problems(error: WardwiseError) -> None:
    """Every problem, with where, what is allowed and how to mend it."""
    count = len(error.problems)
    tell(f"{count} problem{'' if count == 1 else 's'}:")
    for problem in error.problems:
        tell("  " + str(problem).replace("\n", "\n  "))


def tell(text: str) -> None:
    """A line beside the answer."""
    typer.echo(text, err=True)


@contextmanager
def steps(title: str) -> Iterator[Callable[[str], None]]:
    """A line that says which step is being worked on, while somebody watches."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status(title) as status:
        yield lambda step: status.update(f"{title}: {step}")


@contextmanager
def bar(title: str, total: int) -> Iterator[Callable[[int, str], None]]:
    """A bar over files: call it with how many are done and what is being read."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=total)
        yield lambda done, what: progress.update(task, completed=done, description=f"{title}: {what}")


# --- inside ---------------------------------------------------------------------------------------


@contextmanager
def _listening(pressed: threading.Event) -> Iterator[None]:
    """Remembers that Ctrl-C was pressed. Signals can be listened to on the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def press(_signal: int, _frame: FrameType | None) -> None:
        pressed.set()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, press)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _passes(error: BaseException) -> bool:
    """What the command line itself knows how to end with, or what a developer asked to see."""
    if isinstance(error, typer.Exit | typer.Abort | TyperException | SystemExit):
        return True
    if isinstance(error, OSError) and error.errno == errno.EPIPE:
        return True         # the reader has seen enough: `wardwise list | head`
    return bool(os.environ.get("WARDWISE_TRACEBACK")) and not isinstance(error, WardwiseError)


def _describe(error: BaseException) -> WardwiseError:
    if isinstance(error, WardwiseError):
        return error
    if isinstance(error, OSError) and error.filename:
        return RunError(Problem(str(error.filename), f"cannot be read or written: {error.strerror}",
                                "a file or folder that may be read and written", "correct the path or permissions"))
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "wardwise"
    # The message of an unexpected error may quote a row, so only its kind and place are shown.
    return WardwiseError(Problem(where, f"a defect in Wardwise ({type(error).__name__})", "",
                                 "report this line; WARDWISE_TRACEBACK=1 shows more, and may show personal data"))


def speak_utf8() -> None:
    """Lets a terminal that cannot show a letter show `?` for it, rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="replace")
