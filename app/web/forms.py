"""What a page's form sends, as the browser writes it; read by hand, since no form here carries a file."""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import Request

from app.api.problems import Problem

LARGEST_FORM = 20_000  # bytes
MOST_FIELDS = 1000


async def read_form(request: Request) -> dict[str, list[str]]:
    """Return a form's values; raises Problem for what is none or too large."""
    body = await request.body()
    if len(body) > LARGEST_FORM:
        raise Problem(413, f"a form here has at most {LARGEST_FORM} bytes")
    try:
        return parse_qs(body.decode("utf-8"), max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise Problem(400, "the form is not UTF-8 or has too many fields") from error
