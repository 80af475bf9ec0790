"""Step 5: why people go, and who is welcome."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from recommender.event_text import EventText
from recommender.purpose import PURPOSES, Purposer, load_cues, load_purpose_model, load_purposer, purposes


@pytest.fixture(scope="module")
def wordy() -> Purposer:
    """As it works where the embedding model is not installed."""
    return Purposer(load_purpose_model(), load_cues(), None)


def strongest(purposer: Purposer, text: EventText) -> str:
    (purpose,) = purposer.purposes([text])
    return max(PURPOSES, key=purpose.weights.__getitem__)


@pytest.mark.parametrize(
    ("purpose", "text"),
    [
        ("learn", EventText("Workshop: sensors for gardeners", "Bring your laptop; a hands-on tutorial.")),
        ("learn", EventText("Two talks on databases", "The speakers show how indexes work.")),
        ("exchange", EventText("Book club", "We discuss the novel of the month.")),
        ("exchange", EventText("Round table for team leads", "An open conversation.")),
        ("sell", EventText("BNI breakfast", "Bring business cards and referrals.")),
        ("sell", EventText("Free masterclass: passive income", "Limited seats, register now.")),
        ("sell", EventText("Pitch night", "Startups pitch to angel investors.")),
        ("recruit", EventText("Career fair", "Meet employers; bring your resume.")),
        ("social", EventText("Happy hour", "Drinks with friends.")),
        ("social", EventText("Sunday hike", "Then a picnic.")),
        ("learn", EventText("Workshop für Anfänger", "Vortrag und Übungen.")),
        ("social", EventText("Soirée jeux", "Un apéro entre amis.")),
    ],
)
def test_purpose_is_heard_with_and_without_vectors(purpose: str, text: EventText, wordy: Purposer) -> None:
    assert [strongest(load_purposer(), text), strongest(wordy, text)] == [purpose, purpose]


def test_shares_sum_to_one_and_phrases_are_verbatim() -> None:
    text = EventText("Job Fair downtown", "Meet EMPLOYERS with open positions at the job fair.")
    (purpose,) = purposes([text])
    assert sum(purpose.weights.values()) == pytest.approx(1, abs=1e-5)
    assert tuple(purpose.weights) == PURPOSES
    assert purpose.phrases == ("Job Fair", "Meet EMPLOYERS", "open positions")


def test_welcome_grows_with_its_signals() -> None:
    plain, one, two = purposes(
        [
            EventText("Pottery", "On Tuesdays."),
            EventText("Pottery", "Beginners welcome."),
            EventText("Töpfern", "Anfänger willkommen, Eintritt frei."),
        ]
    )
    assert (plain.welcomes, round(one.welcomes, 2), round(two.welcomes, 2)) == (0.0, 0.6, 0.84)


def test_other_events_of_the_group_settle_what_a_bare_title_leaves_open(wordy: Purposer) -> None:
    title = EventText("Monday morning motivator", "", group="The Willows")
    in_company = replace(title, others=("Referral breakfast", "Bring your business cards", "Leads exchange"))
    alone, among = wordy.purposes([title, in_company])
    assert among.weights["sell"] > 1.2 * alone.weights["sell"]
    assert sum(among.weights.values()) == pytest.approx(1, abs=1e-5)


def test_text_without_any_cue_has_a_purpose_and_no_phrases(wordy: Purposer) -> None:
    (purpose,) = wordy.purposes([EventText("", "")])
    assert purpose.phrases == ()
    assert max(purpose.weights.values()) < 0.6
    assert wordy.purposes([]) == []


@pytest.mark.shared
@pytest.mark.long
def test_hand_judged_events_are_told_apart(shared: Path) -> None:
    from recommender.learn.measure_texts import measure_purpose

    found = {
        (one.setting.rpartition(", ")[2], one.model): one.value
        for one in measure_purpose(shared / "adjacency")
        if one.measure == "macro-F1"
    }
    assert found["fifth sample", "words and vectors"] > 0.7
    assert found["fifth sample", "words"] > 0.65
    assert found["with descriptions", "words and vectors"] > 0.85
    assert found["with descriptions", "words"] > 0.8


@pytest.mark.shared
@pytest.mark.long
def test_learning_again_gives_the_same_bytes(shared: Path, tmp_path: Path) -> None:
    from recommender.catalogue import load_catalogue
    from recommender.learn.purpose import build_purpose
    from recommender.purpose import ARTEFACT

    again = tmp_path / "purpose.npz"
    build_purpose(shared / "adjacency", load_catalogue(), again)
    assert again.read_bytes() == ARTEFACT.read_bytes()
