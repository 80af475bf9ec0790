"""The mail as people see it, in a real browser: phones and desks, light and dark, without a barrier or a request."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import sync_playwright
from service import settings_in
from test_browser import CHROMIUM, FLAGS
from test_digest_rules import taken

from app.address_change import Asked as AskedToConfirm
from app.address_change import mail_for as confirming_mail
from app.signing import Asked, mail_for
from app.wording import wording_of

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here")

VIEWS = tuple((width, scheme) for width in (390, 1100) for scheme in ("light", "dark"))
# A mail stands inside a page whose landmarks are its program's.
OPTIONS = {"rules": {"region": {"enabled": False}, "landmark-one-main": {"enabled": False}}}


def test_mails_fit_every_screen_and_have_no_barrier(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    mails = {
        "weekly": taken(tmp_path).part("html"),
        "sign-in": mail_for(Asked("ada@example.org", "adj_l_x", "012345"), settings, wording_of("en")).html,
        "confirm": confirming_mail(AskedToConfirm("ada@example.org", "adj_c_x"), settings, wording_of("en")).html,
    }
    found = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for width, scheme in VIEWS:
            page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
            asked: list[str] = []
            page.on("request", lambda request, asked=asked: asked.append(request.url))  # type: ignore[misc]
            for name, html in mails.items():
                page.set_content(html)
                page.evaluate(AXE_SCRIPT)
                answer = page.evaluate("options => axe.run(document, options)", OPTIONS)
                found[name, width, scheme] = (
                    [one["id"] for one in answer["violations"]],
                    page.evaluate("document.documentElement.scrollWidth"),
                    asked,
                )
            page.close()
        browser.close()
    assert found == {(name, width, scheme): ([], width, []) for width, scheme in VIEWS for name in mails}
