"""Step 2, reading: a web page: what its platform put into it, or what it marks up, whichever tells of more events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from selectolax.lexbor import LexborHTMLParser

from scrapers.draft import EventDraft, Problem, Reading, Unreadable, Window
from scrapers.embedded import assigned, data_scripts, has_assignments, has_data_scripts
from scrapers.graph import Graph, every_node, local_name, types
from scrapers.jsonld import has_scripts, read_scripts
from scrapers.listing import listing
from scrapers.microdata import has_microdata, has_rdfa, microdata_items, rdfa_items
from scrapers.microformats import has_microformats, microformat_items
from scrapers.schema_org import Found, read_events
from scrapers.sites.readers import EMBEDDED_READERS, PAGE_READERS
from scrapers.text import clean_url, one_line

# By the kind of telling: whether a page may hold it.
_SIGNS: dict[str, Callable[[str], bool]] = {
    "jsonld": has_scripts,
    "microdata": has_microdata,
    "rdfa": has_rdfa,
    "microformats": has_microformats,
    "data": has_data_scripts,
    "assigned": has_assignments,
}
_LISTS = frozenset({"ItemList", "EventSeries", "CollectionPage"})
_ENTRIES = frozenset({"itemListElement", "subEvent"})


def read_page(text: str, *, url: str, window: Window, zone: ZoneInfo) -> Reading:
    """Return the events of a page; the readers of single platforms are asked before its markup is.

    Half of the pages that people have hold no sign of events: looking for one costs a tenth of building the tree.
    """
    signs = {sign for sign, is_there in _SIGNS.items() if is_there(text)}
    signs |= {sign for sign in PAGE_READERS if sign in text}
    if not signs:
        raise Unreadable("no_events", _nothing_found([]))
    tree = LexborHTMLParser(text)
    known = _read_as_known(signs, tree, url=url, window=window, zone=zone)
    try:
        marked = _read_markup(signs, tree, url=url, window=window, zone=zone)
    except Unreadable:
        if known is None:
            raise
        return known
    return known if known is not None and known.listed >= marked.listed else marked


def _read_as_known(
    signs: set[str], tree: LexborHTMLParser, *, url: str, window: Window, zone: ZoneInfo
) -> Reading | None:
    """Return what the reader of the platform that made this page knows to find in it, if there is one."""
    documents = [*(data_scripts(tree) if "data" in signs else ()), *(assigned(tree) if "assigned" in signs else ())]
    found = [
        *(read(document, url=url, window=window, zone=zone) for document in documents for read in EMBEDDED_READERS),
        *(read(tree, url=url, window=window, zone=zone) for sign, read in PAGE_READERS.items() if sign in signs),
    ]
    return max(filter(None, found), key=lambda reading: reading.listed, default=None)


def _read_markup(signs: set[str], tree: LexborHTMLParser, *, url: str, window: Window, zone: ZoneInfo) -> Reading:
    """Return the events a page marks up: JSON-LD, then microdata, RDFa and microformats for what those leave out.

    The same event told in two syntaxes is one event.
    """
    base = _base(tree, url)
    documents, problems = read_scripts(tree) if "jsonld" in signs else ([], [])
    told: list[EventDraft] = []
    kind, nodes = "", 0
    for syntax, found in _syntaxes(signs, tree, documents, base=base, window=window, zone=zone):
        nodes += found.nodes
        problems += found.problems
        known = {sign for draft in told for sign in _signs(draft)}
        fresh = [draft for draft in found.drafts if known.isdisjoint(_signs(draft))]
        told += fresh
        if found.nodes and not kind:
            kind = syntax
    if not nodes and not _is_empty_list(documents):
        raise Unreadable("no_events", _nothing_found(problems))
    if len(told) == 1 and told[0].url is None:
        told = [replace(told[0], url=clean_url(url))]
    return listing(
        (draft if draft.source == url else replace(draft, source=url) for draft in told),
        kind=kind or "jsonld",
        window=window,
        problems=problems,
        name=_title(tree) if len(told) > 1 else None,  # the title of an event's own page is that of the event
        description=_meta(tree, "description"),
    )


def _syntaxes(
    signs: set[str], tree: LexborHTMLParser, documents: list[Any], *, base: str, window: Window, zone: ZoneInfo
) -> Iterator[tuple[str, Found]]:
    def read(items: list[Any]) -> Found:
        return read_events(items, url=base, window=window, zone=zone)

    yield "jsonld", read(documents)
    if "microdata" in signs:
        yield "microdata", read(microdata_items(tree))
    if "rdfa" in signs:
        yield "rdfa", read(rdfa_items(tree))
    if "microformats" in signs:
        yield "microformats", read(microformat_items(tree))


def _signs(draft: EventDraft) -> set[tuple[str, str]]:
    """Return what two tellings of one event have in common: its day with its title or with its address."""
    day = draft.starts_at.date().isoformat()
    signs = {(day, draft.title.casefold())}
    return signs | {(day, draft.url)} if draft.url else signs


def _is_empty_list(documents: list[Any]) -> bool:
    graph = Graph(documents)
    return any(
        not _LISTS.isdisjoint(types(node)) and not graph.values(node, "itemListElement", "subEvent")
        for node in every_node(documents)
        if any(local_name(name) in _ENTRIES for name in node)
    )


def _nothing_found(problems: list[Problem]) -> str:
    broken = sum(problem.code == "script_broken" for problem in problems)
    reason = f" ({broken} broken JSON-LD scripts)" if broken else ""
    return f"the page marks up no event: looked for schema.org in JSON-LD{reason}, microdata and RDFa, and for microformats"


def _base(tree: LexborHTMLParser, url: str) -> str:
    node = tree.css_first("base[href]")
    return (clean_url(node.attributes.get("href") or "", url) if node else None) or url


def _title(tree: LexborHTMLParser) -> str:
    node = tree.css_first("head title")
    return one_line(node.text()) if node else ""


def _meta(tree: LexborHTMLParser, name: str) -> str:
    node = tree.css_first(f'meta[name="{name}" i]')
    return one_line(node.attributes.get("content") or "") if node else ""
