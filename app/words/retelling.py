"""Sentences that others word in English, told again in the reader's language.

Reasons are stored with the picks they belong to, so they are recognised by their pattern, not made anew. The patterns
are those of recommender/reasons.py, recommender/cadence.py, app/people/feedback.py, app/opinions.py, app/picking/barriers.py,
app/picking/left_out.py, app/people/hiding.py and app/people/takeaways.py; a sentence of none of them stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from app.words.topic_words import domain_words, topic_told
from app.words.wording import SOURCE_LANGUAGE, Wording, mark

PATTERNS = (
    # Reasons.
    mark("You know {topic}. Right next door is {other}."),
    mark("You know {topic}. One step from it lies {other}."),
    mark("You know {topic}. Two steps on you come to {other}."),
    mark("You know {topic}. Far from it, for a change of air: {other}."),
    mark("Picked without knowing you: {other}."),
    mark(
        "Of {count} surveyed developers who know {topic} but not {other}, {share} want it next; of all who do not know"
        " it, {base} do (Stack Overflow Developer Survey 2024)."
    ),
    mark(
        "Of {count} meetup groups about {topic}, {share} are also about {other}, {times} as many as among all groups."
    ),
    mark(
        "Of {count} developers who describe themselves with {topic}, {share} also name {other}, {times} as many as among"
        " all."
    ),
    mark(
        "People who write in online communities about {topic} turn up in those about {other} {times} as often as"
        " elsewhere."
    ),
    mark(
        "Of {count} meetup groups about anything in “{domain}”, {share} are also about something in “{next_domain}”,"
        " {times} as many as among all groups."
    ),
    mark("{topic} and {other} stand side by side in our catalogue of topics; there are no figures for this step yet."),
    mark(
        "A new pairing, no figures yet: {other} lies near {between}, which stands next to {topic} in our catalogue of"
        " topics."
    ),
    mark("A new pairing: no figures from your field yet."),
    mark("About {share} of people would like to know more of it; tell us what you know for a real reason."),
    # What feedback changed.
    mark("“{title}” is marked as going and stands in your calendars of saved events."),
    mark("“{title}” is saved and stands in your calendars of saved events."),
    mark("“{title}” is marked as attended."),
    mark("“{title}” and other dates of its series will not be picked for you again; calendars that hold it keep it."),
    mark("“{title}” will not be picked for you again; calendars that hold it keep it."),
    mark("Its day and hour tell when you go out."),
    mark("Your note is kept with it."),
    mark("“{title}” is no longer marked as going."),
    mark("“{title}” is no longer marked as attended."),
    mark("“{title}” is no longer saved."),
    mark("“{title}” may be picked for you again."),
    mark("{topic} and what is close to it count more in your next picks."),
    mark("{topic} and what is close to it count less in your picks."),
    mark("{topic} counts as it did before."),
    mark("New among this week's picks: {titles}."),
    mark("Your reach moved from “{reach}” to “{after}”."),
    mark("Your reach moved back from “{reach}” to “{after}”."),
    mark("Your reach stays “{reach}”: there is no step beyond it."),
    mark("Your reach stays “{reach}”; said again, “too close” moves it by at most one step from what you chose."),
    mark("Your reach stays “{reach}”; said again, “too far” moves it by at most one step from what you chose."),
    mark("No longer among them: {titles}."),
    mark("No event about {topic} will be picked for you until you show it again; calendars that hold one keep it."),
    mark("No event by {title} will be picked for you until you show it again; calendars that hold one keep it."),
    mark("Events about {topic} may be picked for you again."),
    mark("Events by {title} may be picked for you again."),
    mark("Your note is kept for you alone."),
    mark("Your note is deleted."),
    mark("You knew {topic} already; your map stays as it is."),
    mark("Your map grows: you now know a little of {topic}."),
    mark("{topic} is no longer on your map."),
    # What keeps an event from being picked.
    mark("It does not take place."),
    mark("Its title says that it does not take place, or that no room is left."),
    mark("It is online; you look for events to go to."),
    mark("Nobody could tell where its place is."),
    mark("It is {away} km away; you look up to {within} km."),
    mark("It is about {topic}, which you hid."),
    mark("It is by {title}, which you hid."),
    mark("You said that it is not for you."),
    mark("You said of another of its dates that it is not for you."),
    mark("It is for those concerned by {topic}; say that you know it if you are."),
    mark("You look for what is {wanted}; this is {mode}."),
    mark("People seem to come there {aim} ({phrases}), which you did not ask for."),
    mark("People seem to come there {aim}, which you did not ask for."),
    mark("It is in another language ({code}) than you asked for."),
    mark("You look for free events; it costs {price}."),
    mark("You look for free events; it does not say that it is free."),
    mark("It was among your picks of {week}."),
    mark("Another of its dates was among your picks of {week}."),
    mark("Its texts do not say clearly enough what it is about."),
    mark("It is about {topic}, which you know."),
    mark("It is about {topic}, which lies inside what you know."),
    mark("It is about {topic}, and nothing that you know leads there at the reach you chose."),
    mark("It is about {topic}; others are worth more to you, or your picks hold enough of its kind."),
    # How a community meets.
    mark("every {weekday}"),
    mark("on a {weekday}, not every week"),
    mark("every second {weekday}"),
    mark("every third {weekday}"),
    mark("every fourth {weekday}"),
    mark("on the first {weekday} of the month"),
    mark("on the second {weekday} of the month"),
    mark("on the third {weekday} of the month"),
    mark("on the fourth {weekday} of the month"),
    mark("on the last {weekday} of the month"),
    mark("several times a week"),
    mark("about once a month"),
    mark("about twice a month"),
    mark("about {count} times a month"),
    mark("now and then"),
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
TIMES = (mark("more than {count} times"), mark("{count} times"))
AIMS = (
    mark("to learn"),
    mark("to talk with one another"),
    mark("to meet people"),
    mark("to sell"),
    mark("to hire or be hired"),
)
MODES = (mark("in person"), mark("online"), mark("hybrid"), mark("{mode} or {other_mode}"))
PARTS = {"times": TIMES, "aim": AIMS, "wanted": MODES, "mode": MODES, "other_mode": MODES}


def retold(sentence: str, wording: Wording) -> str:
    if wording.language == SOURCE_LANGUAGE:
        return sentence
    return _told(sentence, PATTERNS, wording) or sentence


def all_retold(sentences: Iterable[str], wording: Wording) -> list[str]:
    return [retold(sentence, wording) for sentence in sentences]


def _told(sentence: str, patterns: tuple[str, ...], wording: Wording) -> str | None:
    for pattern, message in _compiled(patterns):
        found = pattern.fullmatch(sentence)
        if found is not None:
            values = {name: _value(name, value, wording) for name, value in found.groupdict().items()}
            return wording.text(message, **values) if values else wording.text(message)
    return None


def _value(name: str, value: str, wording: Wording) -> str:
    if name in ("reach", "after"):
        return wording.text(value)
    if name in PARTS:
        return _told(value, PARTS[name], wording) or value
    if name in ("topic", "other", "between"):
        return topic_told(value, wording)
    if name in ("titles", "phrases"):
        return value.replace("“", wording.text("“")).replace("”", wording.text("”"))
    if name in ("domain", "next_domain"):
        return domain_words(value, wording)
    if name == "weekday" and value in WEEKDAYS:
        return str(wording.locale.days["format"]["wide"][WEEKDAYS.index(value)])
    if re.fullmatch(r"\d[\d,]*(\.\d+)?", value):
        return wording.number(float(value.replace(",", "")))
    return value


@cache
def _compiled(patterns: tuple[str, ...]) -> list[tuple[re.Pattern[str], str]]:
    """Return each pattern as an expression, those with the most words of their own first."""
    ordered = sorted(patterns, key=lambda message: -len(re.sub(r"\{\w+\}", "", message)))
    return [
        (
            re.compile(
                "".join(
                    f"(?P<{part[1:-1]}>.+?)" if part.startswith("{") else re.escape(part)
                    for part in re.split(r"(\{\w+\})", message)
                ),
                re.DOTALL,
            ),
            message,
        )
        for message in ordered
    ]
