"""Step 6c, last part: from events in the order of their scores to a slate that is worth reading as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from recommender.candidate import Candidate, Choice
from recommender.catalogue import Catalogue

PER_DOMAIN, PER_TOPIC, PER_COMMUNITY, PER_DAY = 2, 1, 1, 3
WORTH = 0.05  # share of the best score, at home and outside, below which an event is no longer worth an evening


@dataclass(frozen=True, slots=True)
class Caps:
    """How many places of a slate may go to what a person works in already."""

    home: frozenset[str]  # fields the person works in
    at_home: int
    own: frozenset[str]  # domains of which the person knows two topics or more
    in_own: int


@dataclass
class Filling:
    """A slate while it is filled, with what its places are taken by."""

    catalogue: Catalogue
    caps: Caps
    choices: list[Choice] = field(default_factory=list)
    taken: Counter[object] = field(default_factory=Counter)

    def admits(self, choice: Choice, *, per_topic: int = PER_TOPIC, at_home: int | None = None) -> bool:
        topic = self.catalogue[choice.topic]
        event = choice.candidate
        return (
            self.taken["domain", topic.domain] < PER_DOMAIN
            and self.taken["topic", topic.slug] < per_topic
            and (
                topic.field not in self.caps.home
                or self.taken["home"] < (self.caps.at_home if at_home is None else at_home)
            )
            and (topic.domain not in self.caps.own or self.taken["own"] < self.caps.in_own)
            and self._brings_something_new(event)
        )

    def _brings_something_new(self, event: Candidate) -> bool:
        return (
            self.taken["id", event.id] == 0
            and (event.community is None or self.taken["community", event.community] < PER_COMMUNITY)
            and (event.series is None or self.taken["series", event.series] == 0)
            and self.taken["title", event.title.casefold()] == 0
            and self.taken["day", event.starts_at.date()] < PER_DAY
        )

    def take(self, choice: Choice) -> None:
        topic = self.catalogue[choice.topic]
        event = choice.candidate
        self.choices.append(choice)
        self.taken.update(
            [
                ("domain", topic.domain),
                ("topic", topic.slug),
                ("id", event.id),
                ("community", event.community),
                ("series", event.series),
                ("title", event.title.casefold()),
                ("day", event.starts_at.date()),
                *(["home"] if topic.field in self.caps.home else []),
                *(["own"] if topic.domain in self.caps.own else []),
            ]
        )


def fill_slate(
    scored: Sequence[Choice],
    catalogue: Catalogue,
    *,
    limit: int,
    caps: Caps,
    luck: Mapping[str, float] | None = None,
) -> tuple[list[Choice], bool]:
    """Take the best first under the caps; return them best first, and whether worse events could not have changed them.

    `scored` stands in the order of scores. When the caps leave places open, events of topics already shown may fill
    them, then more of the fields at home; never of the same community. With `luck`, what a topic's score is multiplied
    by in one draw of what is believed of it, the last place goes to the choice that draws best (Thompson sampling).
    """
    filling = Filling(catalogue, caps)
    worthy = _worthy(scored, catalogue, caps)
    sure = limit if luck is None else limit - 1
    passes = ((PER_TOPIC, caps.at_home), (PER_DOMAIN, caps.at_home), (PER_TOPIC, limit))
    for number, (per_topic, at_home) in enumerate(passes):
        for choice in worthy:
            if len(filling.choices) == sure:
                break
            if filling.admits(choice, per_topic=per_topic, at_home=at_home):
                filling.take(choice)
        if number == 0:
            is_final = len(filling.choices) == sure  # later passes come back to what earlier ones passed over
    best_first = sorted(filling.choices, key=lambda choice: -choice.score)
    if luck is None:
        return best_first, is_final
    free = [choice for choice in worthy if filling.admits(choice)]
    drawn = max(free, key=lambda choice: (choice.score * luck.get(choice.topic, 1.0), choice.score), default=None)
    if drawn is not None:
        best_first.append(replace(drawn, explorative=True))
    return best_first, is_final


def _worthy(scored: Sequence[Choice], catalogue: Catalogue, caps: Caps) -> list[Choice]:
    best: dict[bool, float] = {}
    for choice in scored:
        best.setdefault(catalogue[choice.topic].field in caps.home, choice.score)
    return [choice for choice in scored if choice.score >= WORTH * best[catalogue[choice.topic].field in caps.home]]
