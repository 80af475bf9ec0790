"""The command line: `adjacent`. Heavy modules are imported inside the commands, so that `--help` is instant."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run a command: exit 0 done, 1 what was asked for failed (one line on stderr says why), 2 wrong usage."""
    # numpy reads it when it is imported: two threads were four times slower than one on a busy machine.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from app.cli.commands import cli
    from app.cli.failing import one_line
    from app.cli.own_topics import read_own_topics

    try:
        read_own_topics(os.environ)
        cli()
    except BrokenPipeError:  # `adjacent events list | head`
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:
        message = one_line(error)
        if message is None:
            raise
        print(f"adjacent: {message}", file=sys.stderr)
        sys.exit(1)
