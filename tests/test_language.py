"""The language of a text is told where it is plain, and left open where it is not."""

from __future__ import annotations

import pytest

from app.events.language import language_of


@pytest.mark.parametrize(
    ("title", "description", "language"),
    [
        ("Offener Abend der Buchbinder", "Wir falten und heften Hefte, alle sind willkommen.", "de"),
        ("Soirée de reliure", "Ouverte à tous, apportez vos feuilles et votre thé.", "fr"),
        ("An open evening of bookbinding", "We fold and stitch, and everybody is welcome.", "en"),
        ("Avond van de boekbinders", "Iedereen is welkom om een boek te maken.", "nl"),
        ("製本の夕べ", "初心者歓迎です。みんなで本を作りましょう。紙は用意します。", "ja"),
        ("Вечір палітурників", "Запрошуємо початківців, папір ми приготуємо.", "uk"),
        ("React Native Berlin #42", "", None),
        ("Kubernetes, Docker & Terraform: DevOps Vol. 7", "", None),
        ("Ink", "https://ink.example/this-is-an-address-and-not-a-text @ink_club_of_the_town", None),
        ("Soirée", "", None),
    ],
)
def test_language_is_told_where_it_is_plain(title: str, description: str, language: str | None) -> None:
    assert language_of(title, description) == language
