"""An event as schema.org writes it, so that others can collect from our pages as we do from theirs."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.models import Event
from app.queries.listing import Listed

STATUSES = {
    "confirmed": "https://schema.org/EventScheduled",
    "cancelled": "https://schema.org/EventCancelled",
    "postponed": "https://schema.org/EventPostponed",
    "rescheduled": "https://schema.org/EventRescheduled",
    "moved_online": "https://schema.org/EventMovedOnline",
    "tentative": "tentative",  # schema.org has no word for it
}
MODES = {
    "in_person": "https://schema.org/OfflineEventAttendanceMode",
    "online": "https://schema.org/OnlineEventAttendanceMode",
    "hybrid": "https://schema.org/MixedEventAttendanceMode",
}
PRICE = re.compile(r"(?P<low>\d+(?:\.\d+)?)(?:–(?P<high>\d+(?:\.\d+)?))?(?: (?P<currency>[A-Z]{3}))?")

Node = dict[str, Any]


def structured(listed: Listed, *, address: str) -> Node:
    """Return the schema.org Event; `address` is the page it stands on."""
    event = listed.event
    start, end = _dates(event)
    name = event.organizer_name or (listed.community.name if listed.community else None)
    places = [place for place in (_hall(event), _link(event)) if place]
    return _known(
        {
            "@context": "https://schema.org",
            "@type": "Event",
            "name": event.title,
            "startDate": start,
            "endDate": end,
            "timezone": event.zone,
            "eventStatus": STATUSES["cancelled"] if event.deleted_at is not None else STATUSES.get(event.status),
            "eventAttendanceMode": MODES.get(event.mode),
            "url": event.url or address,
            "mainEntityOfPage": address,
            "location": places[0] if len(places) == 1 else places,
            "organizer": _known({"@type": "Organization", "name": name, "url": event.organizer_url})
            if name or event.organizer_url
            else None,
            "keywords": event.categories,
            "inLanguage": event.language,
            "description": event.description,
            **_price(event.price),
        }
    )


def _known(node: Node) -> Node:
    return {name: value for name, value in node.items() if value not in (None, "", [], {})}


def _dates(event: Event) -> tuple[str, str | None]:
    zone = ZoneInfo(event.zone)
    start = event.starts_at.astimezone(zone)
    end = event.ends_at.astimezone(zone) if event.ends_at is not None else None
    if event.all_day:
        # A last day belongs to the event there (schema.org/endDate).
        last = end.date() - timedelta(days=1) if end is not None else None
        return start.date().isoformat(), last.isoformat() if last is not None else None
    return start.isoformat(), end.isoformat() if end is not None else None


def _hall(event: Event) -> Node | None:
    has_point = event.lat is not None and event.lon is not None
    if event.mode == "online" or not (event.venue_name or event.address or event.city or has_point):
        return None
    return _known(
        {
            "@type": "Place",
            "name": event.venue_name,
            "address": _address(event),
            "geo": {"@type": "GeoCoordinates", "latitude": event.lat, "longitude": event.lon} if has_point else None,
        }
    )


def _address(event: Event) -> Node | None:
    """Return the address in its parts: "Am Kai 7, 20457 Hamburg" names the city and its code once more."""
    street, code, city = event.address or "", "", event.city
    if city and (found := re.fullmatch(rf"(?:(.*), )?(?:((?=[^,]*\d)[^,]+) )?{re.escape(city)}", street)):
        street, code = found[1] or "", found[2] or ""
    elif city and (found := re.fullmatch(rf"(.*), {re.escape(city)}, (.+)", street)):
        state, _, code = found[2].rpartition(" ")
        parts = {"streetAddress": found[1], "addressLocality": city, "addressRegion": state or code}
        return _postal({**parts, "postalCode": code if state else "", "addressCountry": event.country})
    parts = {"streetAddress": street, "postalCode": code, "addressLocality": city, "addressCountry": event.country}
    return _postal(parts)


def _postal(parts: Node) -> Node | None:
    known = _known(parts)
    return {"@type": "PostalAddress", **known} if known else None


def _link(event: Event) -> Node | None:
    if event.online_url:
        return {"@type": "VirtualLocation", "url": event.online_url}
    return {"@type": "VirtualLocation"} if event.mode in ("online", "hybrid") else None


def _price(price: str | None) -> Node:
    if price is None:
        return {}
    if price == "free":
        return {"isAccessibleForFree": True}
    if found := PRICE.fullmatch(price):
        currency = {"priceCurrency": found["currency"]} if found["currency"] else {}
        if found["high"]:
            span = {"lowPrice": found["low"], "highPrice": found["high"]}
            return {"offers": {"@type": "AggregateOffer", **span, **currency}}
        return {"offers": {"@type": "Offer", "price": found["low"], **currency}}
    return {"offers": {"@type": "Offer", "price": price}}
