"""Which errors are answers to a person, and how they read in one line."""

from __future__ import annotations

from errno import EDQUOT, ENOSPC

ALLOWING = "ADJACENT_ALLOW_HOSTS=HOST:PORT lets a private host, or a port other than 80 and 443, be fetched from"


class Failed(Exception):  # noqa: N818
    """The thing asked for failed; the message says what, why and what would help."""


def one_line(error: Exception) -> str | None:
    """Return what to print for an error a person can act on, None for one that is ours."""
    from app.db import NewerSchema, in_short, is_outage
    from app.mail.dkim import BadKey
    from app.operating.archive import BadBackup
    from app.places import UnknownPlace
    from app.settings import BadSetting
    from app.topic_names import UnknownTopic
    from recommender.catalogue import BrokenCatalogue
    from scrapers import Unreadable
    from scrapers.fetch import FetchError

    if isinstance(error, UnknownTopic):
        return error.told(otherwise="`topics search` finds what there is")
    if isinstance(error, (Failed, BadBackup, BadSetting, BrokenCatalogue, NewerSchema, UnknownPlace)):
        return str(error)
    if isinstance(error, BadKey):
        return f"ADJACENT_DKIM_KEY: {error}"
    if isinstance(error, (FetchError, Unreadable)):
        told = f"{error.message} [{error.code}]"
        return f"{told}; {ALLOWING}" if error.code == "refused" else told
    if is_outage(error):
        return f"the database does not answer: {in_short(error)}; `adjacent doctor` says more"
    if isinstance(error, OSError):
        told = error.strerror or str(error)
        told = told if error.filename is None else f"{error.filename}: {told}"
        return f"{told}; `adjacent doctor` says where" if error.errno in (ENOSPC, EDQUOT) else told
    return None
