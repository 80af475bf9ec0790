"""What a DELETE that undoes something names: in its address, or in a body where nothing on the way drops it."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel

from app.api.mistakes import in_address
from app.api.problems import Problem

Named = TypeVar("Named", bound=BaseModel)


def named(kind: type[Named], asked: BaseModel, sent: Named | None) -> Named:
    """Return what was sent, or what was asked for; raises the Problem where neither says all of it."""
    if sent is not None:
        return sent
    told = asked.model_dump(exclude_none=True)
    missing = [name for name in kind.model_fields if name not in told]
    if missing:
        errors = [in_address(name).mistake("is missing in address and body") for name in missing]
        wanted = f"name {' and '.join(f'`{name}`' for name in missing)}"
        raise Problem(422, wanted, kind="invalid-request", errors=errors)
    return kind(**told)
