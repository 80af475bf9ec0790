"""Importing without what libraries load only because it happens to be installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unseen(*modules: str) -> Iterator[None]:
    """Let imports go as where these modules are not installed, unless they are loaded already.

    None in sys.modules is how Python is told so (reference, 5.3.1 "The module cache").
    """
    hidden = [name for name in modules if name not in sys.modules]
    sys.modules |= dict.fromkeys(hidden)  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
