"""Reasons: the path is real, every number is the data's, and where there is none the reason says so."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from recommender.adjacency import load_adjacency
from recommender.candidate import Candidate, Choice
from recommender.catalogue import load_catalogue
from recommender.reach import Reach
from recommender.reasons import NOTHING_KNOWN, explain, percent, times


def choice(topic: str, reach: Reach = "one-step") -> Choice:
    found = load_catalogue().resolve(topic)
    assert found is not None
    starts_at = datetime(2026, 12, 1, 18, 0, tzinfo=UTC) + timedelta(days=1)
    return Choice(Candidate(id=1, topics={found.slug: 0.9}, starts_at=starts_at), found.slug, 0.5, reach)


def test_path_starts_at_the_known_topic_that_leads_there() -> None:
    reason = explain(choice("Public health"), {"nursing": 4, "woodworking": 4})
    assert reason.path == ("Nursing", "Public health")
    assert reason.sentence.startswith("You know Nursing. One step from it lies Public health: ")


def test_figures_are_those_of_the_data() -> None:
    known, target = {"kubernetes": 3}, load_catalogue().resolve("Rust")
    assert target is not None
    counted = [one for one in load_adjacency().evidence("kubernetes", target.slug) if one.kind == "survey"]
    (line,) = [line for line in explain(choice("Rust"), known).evidence if "surveyed developers" in line]
    (survey,) = counted
    assert survey.n is not None
    assert survey.share is not None
    assert f"Of {survey.n:,} surveyed developers who know Kubernetes but not Rust, {percent(survey.share)} want" in line


def test_step_without_figures_says_so() -> None:
    reason = explain(choice("Beekeeping", "far"), {"cobol": 3})
    assert reason.path == ("COBOL", "Beekeeping")
    assert reason.evidence == (NOTHING_KNOWN,)
    assert not re.search(r"\d", reason.sentence)


def test_step_without_figures_tells_the_neighbour_it_goes_by() -> None:
    (line,) = explain(choice("Wellness"), {"nursing": 4}).evidence
    assert re.fullmatch(
        r"A new pairing, no figures yet: Wellness lies near .+, which stands next to Nursing in our catalogue of topics\.",
        line,
    )


def test_figures_of_a_handful_convince_nobody_and_are_not_told() -> None:
    for slug in ("react", "python", "accounting", "teaching"):
        for topic in load_catalogue().topics[::40]:
            if topic.slug != slug:
                for line in explain(choice(topic.label), {slug: 3}).evidence:
                    shares = [int(share) for share in re.findall(r"(\d+) %(?! do)", line)]
                    assert all(share >= 5 for share in shares), line
                    assert "0." not in line.split("%")[0]


def test_what_else_somebody_knows_gives_evidence_too() -> None:
    lines = explain(choice("UX design"), {"javascript": 4, "react": 4}).evidence
    assert ["about JavaScript" in lines[0], "themselves with React" in lines[1]] == [True, True]


def test_step_between_professions_is_told_by_groups_about_the_wider_subjects() -> None:
    lines = explain(choice("Business intelligence"), {"accounting": 4}).evidence
    assert any("meetup groups about anything in “Finance and accounting”" in line for line in lines)


def test_somebody_nobody_knows_is_told_that() -> None:
    reason = explain(choice("Photography"), {})
    assert reason.sentence.startswith("Picked without knowing you: Photography, ")
    assert len(reason.evidence) == 1


def test_how_many_people_like_a_topic_is_told_by_the_prior_that_ranks() -> None:
    learned, drifted = (explain(choice("Dance"), {}, drift=drift).evidence for drift in (0.0, 1.0))
    assert learned[0].startswith("About 3 % of people")
    assert drifted[0].startswith("About 9 % of people")


def test_shares_and_ratios_read_as_people_say_them() -> None:
    assert [percent(share) for share in (0.3141, 0.02, 0.0061)] == ["31 %", "2 %", "0.6 %"]
    assert [times(lift) for lift in (1.44, 9.9, 12.3)] == ["1.4 times", "9.9 times", "12 times"]
    assert [times(175.0), times(12.3, 10)] == ["more than 50 times", "more than 10 times"]
