"""What was judged by hand: purposes of real events, whose texts are read from where they are and stay there."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from icalendar import Calendar
from lxml import etree  # type: ignore[import-untyped]
from numpy.typing import NDArray

from recommender.event_text import EventText
from recommender.learn.sources import rows
from recommender.learn.tagged_texts import read_tagged_groups
from recommender.purpose import PURPOSES

LABELS = Path(__file__).parent.parent / "data" / "purpose_labels.tsv"


@dataclass(frozen=True)
class Labelled:
    texts: tuple[EventText, ...]
    purposes: NDArray[np.intp]  # index into PURPOSES

    def __len__(self) -> int:
        return len(self.texts)


def read_lines(path: Path) -> list[list[str]]:
    lines = path.read_text("utf-8").splitlines()
    return list(
        csv.reader([line for line in lines if not line.startswith("#")], delimiter="\t", quoting=csv.QUOTE_NONE)
    )


def read_labelled(folder: Path, split: str) -> Labelled:
    """Return the hand-judged events of one split; `folder` is the one adjacency is learned from."""
    labels = [row for row in read_lines(LABELS)[1:] if row[3] == split]
    texts = [events_of(folder, source)[name] for source, name, _, _ in labels]
    return Labelled(tuple(texts), np.array([PURPOSES.index(purpose) for _, _, purpose, _ in labels]))


@cache
def events_of(folder: Path, source: str) -> Mapping[str, EventText]:
    """Return the events of one source by the ids the labels use."""
    match source.split("/"):
        case ["nashville_events"]:
            return city_events(folder)
        case ["tagged_groups"]:
            return tagged_groups(folder)
        case ["tech_conferences"]:
            return conferences(folder)
        case ["corpus", "feeds", _]:
            return feed_events(folder.parent / source)
        case ["corpus", "reference", _]:
            return page_events(folder.parent / source)
        case _:
            return calendar_events(folder.parent / source)


def city_events(folder: Path) -> dict[str, EventText]:
    groups = {row["group_id"]: row["group_name"] for row in rows(folder / "nashville_groups.csv.gz")}
    return {
        row["event_id"]: EventText(row["name"], "", group=groups[row["group_id"]])
        for row in rows(folder / "nashville_events.csv.gz")
    }


def tagged_groups(folder: Path) -> dict[str, EventText]:
    groups = read_tagged_groups(folder)
    return {f"{city}/{text.title}": text for city, text in zip(groups.cities, groups.texts, strict=True)}


def conferences(folder: Path) -> dict[str, EventText]:
    return {
        f"{row['url']} {row['startDate']}": EventText(row["name"], "")
        for row in rows(folder / "tech_conferences.csv.gz")
    }


def calendar_events(path: Path) -> dict[str, EventText]:
    return {
        " ".join(str(event.get("UID", "")).split()): EventText(
            str(event.get("SUMMARY", "")), str(event.get("DESCRIPTION", ""))
        )
        for event in Calendar.from_ical(path.read_bytes()).walk("VEVENT")
    }


def feed_events(path: Path) -> dict[str, EventText]:
    return {
        (item.findtext("guid") or item.findtext("link") or "").strip(): EventText(
            item.findtext("title") or "", item.findtext("description") or ""
        )
        for item in etree.parse(path, etree.XMLParser(resolve_entities=False)).iter("item")
    }


def page_events(path: Path) -> dict[str, EventText]:
    """Return the titles that a page's markup holds, numbered in order and each counted once."""
    found: dict[str, EventText] = {}
    for page, read in json.loads(path.read_text("utf-8")).items():
        syntaxes = (events for events in read.get("events", {}).values() if isinstance(events, list))
        titles = dict.fromkeys(str(event["name"]) for events in syntaxes for event in events if event.get("name"))
        found |= {f"{page}#{number}": EventText(title, "") for number, title in enumerate(titles)}
    return found
