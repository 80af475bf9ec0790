"""Co-attendance: who shares a group shares others, rare groups borrow from their domain, nobody gets what is usual."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recommender.co_attendance import fit_co_attendance

DOMAINS = {"hikes": "outdoors", "climbs": "outdoors", "choir": "music", "jam": "music"}
VISITS = [{"hikes", "climbs"}] * 300 + [{"choir", "jam"}] * 300 + [{"hikes", "jam"}] * 30


def test_who_goes_to_one_group_goes_where_its_people_go() -> None:
    together = fit_co_attendance(VISITS, DOMAINS)
    times = together.together({"hikes"})
    assert times["climbs"] > 1.5
    assert times["choir"] < 1


def test_group_hardly_anybody_goes_to_borrows_from_its_domain() -> None:
    together = fit_co_attendance([*VISITS, {"brass"}], {**DOMAINS, "brass": "music"})
    times = together.together({"brass"})
    assert min(times["choir"], times["jam"]) > max(times["hikes"], times["climbs"])


def test_nobody_gets_what_is_usual_and_unknown_groups_say_nothing() -> None:
    together = fit_co_attendance(VISITS, DOMAINS)
    assert together.chances([[]]).tolist() == [together.usual.tolist()]
    assert set(together.together({"no such group"}).values()) == {1.0}
    assert np.isclose(together.usual.sum(), 2.0)


@pytest.mark.long
@pytest.mark.shared
def test_co_attendance_guesses_a_real_citys_groups_better_than_every_baseline(shared: Path) -> None:
    from recommender.learn.measure_city import measure_city

    found = {one.model: one.value for one in measure_city(shared / "adjacency") if one.measure == "nDCG@10"}
    assert max(found, key=found.__getitem__) == "co-attendance"
    assert found["co-attendance"] >= 0.21
