"""Step 2, reading: the items of an RSS or Atom feed as they stand there, before anybody asks what they mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.entities import html5

from lxml import etree  # type: ignore[import-untyped]

from scrapers.graph import literal

MOST_ITEMS = 10_000
_ATOM = "http://www.w3.org/2005/Atom"
_OWN = frozenset(
    {"", _ATOM, "http://purl.org/atom/ns#", "http://purl.org/rss/1.0/", "http://my.netscape.com/rdf/simple/0.9/"}
)
_XHTML = "http://www.w3.org/1999/xhtml"
_NAMED_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,31});")
_OF_XML = frozenset({"amp", "lt", "gt", "quot", "apos"})
_TEXTS = frozenset({"description", "summary", "encoded", "content"})
_MODULE_OF_CAMPUS_LABS = "events"  # its <start xmlns="events"> is named too plainly to be taken from anybody else


@dataclass(slots=True)
class FeedItem:
    """One item or entry; `fields` holds what modules add, by local name in lower case, attributes as `name@attribute`."""

    title: str = ""
    link: str = ""
    identity: str = ""  # guid or id
    markup: str = ""  # the longest of description, summary and content
    categories: list[str] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Feed:
    is_atom: bool
    title: str
    description: str
    items: list[FeedItem]


def parse_feed(text: str) -> Feed | None:
    """Return the feed, or None where there is no element at all. What is not well-formed is read as far as it goes.

    Neither entities nor DTDs are followed, nothing is fetched, and elements may be 256 deep.
    """
    parser = etree.XMLParser(
        encoding="utf-8",
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    root = etree.fromstring(_NAMED_ENTITY.sub(_character, text).encode("utf-8", "replace"), parser)
    if root is None:
        return None
    holder = root if _name(root)[1] == "feed" else next(root.iter("{*}channel"), root)
    told = {_name(child)[1]: child for child in reversed(_children(holder))}
    return Feed(
        is_atom=_name(root)[1] == "feed",
        title=literal(_text(told.get("title"))),
        description=literal(_text(told.get("description", told.get("subtitle")))),
        items=[_item(element) for element in _items(root)],
    )


def _character(entity: re.Match[str]) -> str:
    """Return what HTML means by `&nbsp;`, which XML does not know."""
    name = entity[1]
    return entity[0] if name in _OF_XML else html5.get(f"{name};", entity[0])


def _items(root: etree._Element) -> Iterator[etree._Element]:
    for number, element in enumerate(root.iter("{*}item", "{*}entry")):
        if number == MOST_ITEMS:
            return
        yield element


def _item(element: etree._Element) -> FeedItem:
    item = FeedItem(identity=element.get("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about") or "")
    other = ""  # media:title, where there is no title
    for child in _children(element):
        namespace, name = _name(child)
        is_own = namespace in _OWN
        if name == "title":
            other = other or literal(_text(child))
            item.title = item.title or (literal(_text(child)) if is_own else "")
        elif name == "link" and is_own:
            item.link = _link(child, item.link)
        elif name in ("guid", "id") and is_own:
            item.identity = _text(child).strip() or item.identity
        elif name in _TEXTS:
            item.markup = max(item.markup, _text(child), key=len)
        elif name in ("category", "subject"):
            item.categories.append(literal(child.get("label") or child.get("term") or child.text))
        else:
            _add_field(item, child, f"event{name}" if namespace == _MODULE_OF_CAMPUS_LABS else name)
    item.title = item.title or other
    return item


def _link(element: etree._Element, known: str) -> str:
    address = (element.get("href") or element.text or "").strip()
    is_other = element.get("rel", "alternate") != "alternate"
    return known or ("" if is_other else address)


def _add_field(item: FeedItem, element: etree._Element, name: str) -> None:
    text = literal(element.text)
    if text:
        item.fields.setdefault(name, text)
    for attribute, value in element.attrib.items():
        item.fields.setdefault(f"{name}@{str(attribute).lower()}", literal(str(value)))


def _children(element: etree._Element) -> list[etree._Element]:
    return [child for child in element if isinstance(child.tag, str)]


def _name(element: etree._Element) -> tuple[str, str]:
    """Return the namespace and the local name in lower case."""
    namespace, _, name = str(element.tag).rpartition("}")
    return namespace.removeprefix("{"), name.rpartition(":")[2].lower()  # a prefix nobody declared stays in the name


def _text(element: etree._Element | None) -> str:
    """Return text as it was written; elements inside it, as Atom's xhtml has them, become HTML."""
    if element is None:
        return ""
    inside = "".join(etree.tostring(child, encoding="unicode", method="html") for child in _children(element))
    return (element.text or "") + inside.replace(f' xmlns="{_XHTML}"', "")
