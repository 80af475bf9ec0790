"""The mail as people see it, in a real browser: phones and desks, light and dark, without a barrier or a request."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import sync_playwright
from service import settings_in
from test_browser import CHROMIUM, FLAGS
from test_digest_rules import taken

from app.account.address_change import Asked as AskedToConfirm
from app.account.address_change import mail_for as confirming_mail
from app.account.signing import Asked, mail_for
from app.words.wording import wording_of

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here")

VIEWS = tuple((width, scheme) for scheme in ("light", "dark") for width in (390, 1100))
# A mail stands inside a page whose landmarks are its program's.
RULES = {"region": {"enabled": False}, "landmark-one-main": {"enabled": False}}
OPTIONS = {"rules": RULES, "resultTypes": ["violations"], "selectors": False, "preload": False}


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.long)], ids=["a view each", "all views"])
def test_mails_fit_every_screen_and_have_no_barrier(tmp_path: Path, every: bool) -> None:
    settings = settings_in(tmp_path)
    mails = {
        "weekly": taken(tmp_path).part("html"),
        "sign-in": mail_for(Asked("ada@example.org", "adj_l_x", "012345"), settings, wording_of("en")).html,
        "confirm": confirming_mail(AskedToConfirm("ada@example.org", "adj_c_x"), settings, wording_of("en")).html,
    }
    found = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        page = browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        for place, (name, html) in enumerate(mails.items()):
            page.set_content(html)
            page.evaluate(AXE_SCRIPT)
            for width, scheme in VIEWS if every else [VIEWS[place % len(VIEWS)]]:
                page.set_viewport_size({"width": width, "height": 800})
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                answer = page.evaluate("options => axe.run(document, options)", OPTIONS)
                found[name, width, scheme] = (
                    [one["id"] for one in answer["violations"]],
                    page.evaluate("document.documentElement.scrollWidth"),
                )
        browser.close()
    assert len(found) == len(mails) * (len(VIEWS) if every else 1)
    assert {view: told for view, told in found.items() if told != ([], view[1])} == {}
    assert asked == []
