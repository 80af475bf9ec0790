"""Step 7 for eyes: the pages, server-rendered, useful without an account, a script or anything from elsewhere."""

from app.web import (
    assets,
    calendars,
    communities,
    crawlers,
    event,
    events,
    home,
    language,
    mail_actions,
    me,
    ops,
    outbox,
    proposing,
    remedies,
    reports,
    saying,
    sign_in,
    sources,
    start,
    suggest,
)
from app.web.errors import tell_people

__all__ = ["routes", "tell_people"]

routes = [
    route
    for part in (
        home,
        start,
        suggest,
        me,
        events,
        saying,
        calendars,
        event,
        reports,
        proposing,
        communities,
        sources,
        sign_in,
        mail_actions,
        ops,
        outbox,
        language,
        assets,
        crawlers,
        remedies,
    )
    for route in part.router.routes
]
