"""Errors as a person reads them: what was wrong, where, how to mend it; never a traceback for what a person caused."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer


@contextmanager
def plainly() -> Iterator[None]:
    """Run a verb; turn its errors into one message on standard error and an exit code.

    0 done, 1 the user can mend it, 2 usage, 130/143 interrupted. LAMINA_DEBUG=1 shows the traceback as well.
    """
    from lamina.ground import Dismissed, Interrupted, LaminaError, UsageError

    try:
        yield
    except Dismissed as error:
        raise typer.Exit(error.code) from None  # the first of several processes says why
    except Interrupted as error:
        _say(str(error))
        raise typer.Exit(128 + error.signal_number) from None
    except KeyboardInterrupt:
        _say("\nStopped. Nothing was half written; the same command begins again.")
        raise typer.Exit(130) from None
    except LaminaError as error:
        _debug()
        _say(f"Error: {error}")
        raise typer.Exit(2 if isinstance(error, UsageError) else 1) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except OSError as error:
        _debug()
        _say(f"Error: {_system(error)}")
        raise typer.Exit(1) from None
    except MemoryError:
        _debug()
        _say("Error: the memory does not suffice. Try a smaller batch: --set training.batch_size=32, or size=small.")
        raise typer.Exit(1) from None


def _system(error: OSError) -> str:
    name = error.filename2 or error.filename  # of a move, the place that it was to
    place = f"{name}: " if name else ""
    cut_short = error.errno is None and "written" in str(error)  # numpy gives no number: `512 requested and 8 written`
    if error.errno == errno.ENOSPC or cut_short:
        return f"{place}the disk is full. Free some space and run the same command again: it goes on where it was."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{place}no permission. Choose another place with --out, or change who may read and write there."
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return f"{place}this is a file, where a folder is needed. Choose another place, or move the file away."
    if error.errno == errno.EISDIR:
        return f"{place}this is a folder, where a file is needed. Choose another place, or move the folder away."
    return f"{place}{error.strerror or error}."


def _say(message: str) -> None:
    print(message, file=sys.stderr)


def _debug() -> None:
    if os.environ.get("LAMINA_DEBUG"):
        import traceback

        traceback.print_exc()
