"""The pages in a real browser: the whole way of a new person and of an operator, by mouse, by keys, without scripts."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from threading import Thread
from typing import Any

import icalendar
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from origin import Origin
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
KNOW = "/?know=UX+design&know=Nursing"
WIDTHS = (1280, 390)

PATIENCE = 20_000  # ms: a busy machine is no fault of the page
expect.set_options(timeout=PATIENCE)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here")


@dataclass(frozen=True)
class Site:
    url: str
    sign_in: str
    origin: Origin


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    """A web host on a thread of its own, since the browser is driven synchronously."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    running = Origin()
    asyncio.run_coroutine_threadsafe(running.__aenter__(), loop).result()
    yield running
    asyncio.run_coroutine_threadsafe(running.__aexit__(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="module")
def site(origin: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """`adjacent serve` as people start it, with the demonstration city."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | {
        "ADJACENT_DATA": str(tmp_path_factory.mktemp("data")),
        "ADJACENT_ALLOW_HOSTS": origin.host,
    }
    command = [sys.executable, "-c", "from app.cli import main; main()", "serve", "--port", str(port)]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        assert server.stdout is not None
        said = []
        for line in server.stdout:
            said.append(line)
            if found := re.search(r"https?://\S+/sign-in/\S+", line):
                break
        else:
            pytest.fail("the service did not start:\n" + "".join(said))
        drain = Thread(target=server.stdout.read, daemon=True)
        drain.start()
        yield Site(f"http://127.0.0.1:{port}", found[0], origin)
        server.terminate()
        server.wait()
        drain.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield running
        running.close()


class Visit:
    """One visitor's window; what the console said and which other hosts were asked is kept."""

    def __init__(self, browser: Browser, site: Site, **options: Any) -> None:
        self.context: BrowserContext = browser.new_context(base_url=site.url, **options)
        self.context.set_default_timeout(PATIENCE)
        self.page: Page = self.context.new_page()
        self.messages: list[str] = []
        self.foreign: list[str] = []
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.on(
            "request", lambda asked: None if asked.url.startswith(site.url) else self.foreign.append(asked.url)
        )


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Visit]:
    here = Visit(browser, site, viewport={"width": 1280, "height": 900})
    yield here
    here.context.close()
    assert here.messages == []
    assert here.foreign == []


@pytest.fixture(scope="module")
def operator(browser: Browser, site: Site) -> list[Any]:
    """The cookies of who followed the printed link and pressed its button."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(site.sign_in)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Operate")
    cookies = context.cookies()
    context.close()
    return cookies


def test_new_person_goes_from_the_first_word_to_a_calendar_and_an_opinion_taken_back(visit: Visit) -> None:
    page, keys = visit.page, visit.page.keyboard
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Rooms next door to what you know")
    page.get_by_role("link", name="Start").click()
    field = page.locator("#know")
    page.get_by_label("What do you know?").press_sequentially("nurs", delay=20)
    expect(page.get_by_role("option", name="Nursing").first).to_be_visible()
    expect(page.get_by_role("combobox", expanded=True)).to_have_count(1)
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(page.locator(".level legend")).to_have_text(["Nursing"])
    expect(field).to_be_focused()  # the next word can be typed at once
    field.press_sequentially("UX design")
    keys.press("Enter")
    expect(page.locator(".level legend")).to_have_text(["Nursing", "UX design"])
    page.locator("label[for=level-nursing-5]").click()
    page.wait_for_url("**Nursing%3A5**")
    expect(page.locator(".map-wide .knows")).to_have_count(2)

    ring = "+document.querySelector('.map-wide .ring').getAttribute('stroke-width')"
    page.locator("label[for=reach-two-steps]").click()
    page.wait_for_url("**reach=two-steps**")
    outer = page.evaluate(ring)
    page.locator("label[for=reach-next-door]").click()
    page.wait_for_url("**reach=next-door**")
    assert page.evaluate(ring) < outer
    page.locator("label[for=reach-far]").click()
    page.wait_for_url("**reach=far**")

    page.get_by_role("button", name="Show me my week").click()
    expect(page.locator("#notice")).to_contain_text("This browser remembers you; no account was made.")
    titles = page.locator(".pick h3 a").all_inner_texts()
    assert titles
    expect(page.locator(".pick .reason").first).to_contain_text("You know")
    page.locator(".pick h3 a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(titles[0])
    expect(page.locator(".why-you .reason")).to_contain_text("You know")
    page.get_by_role("link", name="Your picks").click()

    page.get_by_role("button", name="Make my calendar").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your calendar is ready")
    address = page.get_by_label("Or copy the address").input_value()
    calendar = icalendar.Calendar.from_ical(page.request.get(address).body())
    assert {str(event["summary"]) for event in calendar.walk("VEVENT")} == set(titles)

    page.get_by_role("link", name="Back to your week").click()
    page.locator(".pick", has_text=titles[0]).get_by_role("button", name="Not for me").click()
    expect(page.locator("#notice")).to_contain_text(f"“{titles[0]}”")
    expect(page.locator("#notice")).to_be_focused()
    expect(page.locator(".pick h3 a", has_text=titles[0])).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#notice")).to_contain_text("may be picked for you again")
    expect(page.locator(".pick h3 a", has_text=titles[0])).to_have_count(1)


def test_keys_alone_lead_all_the_way(visit: Visit) -> None:
    page, keys = visit.page, visit.page.keyboard
    page.goto("/")
    keys.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    keys.press("Enter")
    keys.press("Tab")
    expect(page.locator("#know")).to_be_focused()
    keys.type("UX design")
    keys.press("Enter")
    expect(page.locator(".chips li span")).to_have_text(["UX design"])
    page.locator("#know").focus()
    for _ in range(12):
        keys.press("Tab")
        _assert_focus_shows(page)
        if page.evaluate("document.activeElement.name") == "reach":
            break
    expect(page.locator("#reach-one-step")).to_be_focused()
    keys.press("ArrowRight")
    page.wait_for_url("**reach=two-steps**")
    keys.press("ArrowRight")
    page.wait_for_url("**reach=far**")
    expect(page.locator("#reach-far")).to_be_focused()  # nothing jumped
    expect(page.locator("#said")).to_have_text(page.locator("#events-title").inner_text())
    for _ in range(12):
        keys.press("Tab")
        _assert_focus_shows(page)
        if page.evaluate("document.activeElement.closest('h3') !== null"):
            break
    title = page.evaluate("document.activeElement.textContent")
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def _assert_focus_shows(page: Page) -> None:
    drawn = page.evaluate(
        """() => {
            const here = document.activeElement;
            const shown = here.type === "radio" ? here.nextElementSibling : here;
            return getComputedStyle(shown).outlineStyle;
        }"""
    )
    assert drawn == "solid"


def test_everything_works_without_scripts(browser: Browser, site: Site) -> None:
    visit = Visit(browser, site, java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = visit.page
    page.goto("/")
    page.get_by_label("What do you know?").fill("UX design")
    page.get_by_role("button", name="Show me").click()
    page.locator("label[for=reach-far]").click()
    page.get_by_label("In the next").select_option("60")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**days=60**")
    assert page.locator(".pick").count() > 0
    page.locator(".chips a").first.click()
    expect(page.locator(".chips")).to_have_count(0)
    page.goto("/start")
    page.get_by_label("What do you know?").fill("UX design, Nursing")
    page.get_by_role("button", name="Add").click()
    page.locator("label[for=level-nursing-1]").click()
    page.get_by_role("button", name="Update the map").click()
    page.wait_for_url("**Nursing%3A1**")
    page.get_by_role("button", name="Show me my week").click()
    page.locator(".all-topics summary").click()
    expect(page.locator("table")).to_be_visible()
    title = page.locator(".pick h3 a").first.inner_text()
    page.locator(".pick", has_text=title).get_by_role("button", name="Save").click()
    expect(page.locator("#notice")).to_contain_text(f"“{title}” is saved")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#notice")).to_contain_text("no longer saved")
    page.get_by_role("button", name="Make my calendar").click()
    assert page.get_by_label("Or copy the address").input_value().endswith(".ics")
    visit.context.close()
    assert visit.foreign == []


# Of the map axe can say nothing: it is hidden from screen readers, and its contrast is computed in test_map.py. Selectors
# of nodes, unique on the page, would take as long as the rules; what a node is written like tells as much.
AXE_RUN = """(excluded) => axe.run({exclude: excluded.map((one) => [one])}, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"],
    resultTypes: ["violations"], selectors: false, preload: false,
})"""
MAP = ("svg.map",)
# The fifth row of a list is written by the same lines as the first four, and looking at all takes most of the time.
REPEATED = ("li:nth-child(n+5)", "tr:nth-child(n+5)")
MATRIX = [(width, scheme) for width in WIDTHS for scheme in ("light", "dark")]


@pytest.fixture(scope="module")
def guest(browser: Browser, site: Site) -> list[Any]:
    """The cookies of a guest who said something on every panel of their page."""
    context = browser.new_context(base_url=site.url)
    page = context.new_page()
    page.goto("/start?know=UX+design:4&know=Nursing&reach=far")
    page.get_by_role("button", name="Show me my week").click()
    page.locator(".pick").first.get_by_role("button", name="I'm going").click()
    expect(page.locator("#notice")).to_contain_text("marked as going")
    page.get_by_role("button", name="Make my calendar").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your calendar is ready")
    cookies = context.cookies()
    context.close()
    return cookies


def addresses_of(visit: Visit, *, every: bool) -> dict[str, list[str]]:
    """Return a page of each template by who may open it; and the other states of some, which `every` asks for."""
    asked = visit.page.request
    event = asked.get("/api/v1/events?limit=1").json()["data"][0]["id"]
    community = asked.get("/api/v1/communities?limit=1").json()["data"][0]["id"]
    places = {
        "nobody": ["/?know=nurssing&near=Springfield", "/start?know=UX+design:5", "/sign-in"],
        "guest": ["/", "/me", f"/e/{event}", f"/communities/{community}"],
        "operator": ["/ops", "/events?near=Berlin", "/events?view=month", "/communities", "/sources", "/no"],
    }
    if every:
        places["nobody"] += ["/", KNOW, "/start", "/events?q=nothing+at+all", "/events?topic=choir"]
        places["operator"] += ["/events", "/events?view=week", "/ops/mails", "/communities?q=nothing+at+all"]
    return places


def faults(page: Page, width: int, scheme: Any, *, excluded: Sequence[str]) -> list[Any]:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found = page.evaluate(AXE_RUN, excluded)["violations"]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.long)], ids=["one view", "all views"])
def test_pages_have_no_accessibility_fault_and_never_overflow(
    browser: Browser, site: Site, operator: list[Any], guest: list[Any], every: bool
) -> None:
    for place, (who, cookies) in enumerate({"nobody": [], "guest": guest, "operator": operator}.items()):
        visit = Visit(browser, site, viewport={"width": 1280, "height": 900})
        visit.context.add_cookies(cookies)
        page = visit.page
        for number, address in enumerate(addresses_of(visit, every=every)[who]):
            # German on every other page; one view a page, another for each in turn, so that all stay under watch.
            visit.context.set_extra_http_headers({"Accept-Language": ("en", "de")[number % 2]})
            page.goto(address)
            page.evaluate(AXE_SCRIPT)
            for width, scheme in MATRIX if every else [MATRIX[(place + number) % 4]]:
                found = faults(page, width, scheme, excluded=MAP if every else MAP + REPEATED)
                assert found == [], f"{address} at {width}, {scheme}"
            for width in (320, 390, 768, 1280):
                page.set_viewport_size({"width": width, "height": 900})
                assert page.evaluate("document.documentElement.scrollWidth") == width, f"{address} at {width}"
        visit.context.close()
        assert [one for one in visit.messages if "404" not in one] == []
        assert visit.foreign == []


FOUR_KNOWN = "/?know=JavaScript&know=React&know=Teaching&know=Law&reach=far"


@pytest.mark.parametrize(("address", "language"), [("/", "en"), (KNOW, "de"), (FOUR_KNOWN, "en"), (FOUR_KNOWN, "de")])
def test_map_is_legible_in_the_fonts_of_this_machine(visit: Visit, address: str, language: str) -> None:
    visit.context.set_extra_http_headers({"Accept-Language": language})
    visit.page.goto(address)
    for width in WIDTHS:
        visit.page.set_viewport_size({"width": width, "height": 900})
        _assert_legible(visit.page)


def _assert_legible(page: Page) -> None:
    boxes = page.evaluate(
        """() => {
            const map = [...document.querySelectorAll("svg.map")].find((one) => one.getClientRects().length);
            const box = (node) => { const b = node.getBBox(); return [b.x, b.y, b.x + b.width, b.y + b.height]; };
            const all = (selector) => [...map.querySelectorAll(selector)].map(box);
            const view = map.viewBox.baseVal;
            return {names: all("text.name"), knows: all("text.knows"), width: view.width, height: view.height,
                    core: +map.querySelector(".core").getAttribute("r"), dots: map.querySelectorAll(".dot, .speck").length,
                    pixels: +getComputedStyle(map.querySelector("text.name")).fontSize.replace("px", "")
                            * map.getBoundingClientRect().width / view.width};
        }"""
    )
    assert len(boxes["names"]) >= 8
    assert boxes["pixels"] >= 9
    for one, other in combinations(boxes["names"], 2):
        assert not _overlap(one, other)
    for left, top, right, bottom in boxes["names"]:
        assert left >= -boxes["width"] / 2
        assert right <= boxes["width"] / 2
        assert top >= -boxes["height"] / 2
        assert bottom <= boxes["height"] / 2
    assert boxes["knows"]
    for left, top, right, bottom in boxes["knows"]:
        assert max(-left, right) ** 2 + max(-top, bottom) ** 2 < boxes["core"] ** 2
    for one, other in combinations(boxes["knows"], 2):
        assert not _overlap(one, other)


def _overlap(one: list[float], other: list[float]) -> bool:
    spare = 2.5  # a box is as high as the font may be; letters fill less
    return (
        one[0] < other[2]
        and other[0] < one[2]
        and one[1] + spare < other[3] - spare
        and other[1] + spare < one[3] - spare
    )


def test_first_page_is_small_and_stays_put_on_a_slow_phone(browser: Browser, site: Site) -> None:
    visit = Visit(browser, site, viewport={"width": 390, "height": 844})
    page, sent = visit.page, []
    visit.context.add_init_script(
        """window.shifted = 0;
        new PerformanceObserver((list) => { for (const one of list.getEntries()) window.shifted += one.value; })
            .observe({type: "layout-shift", buffered: true});"""
    )
    network = visit.context.new_cdp_session(page)
    network.send("Network.enable")
    network.on("Network.loadingFinished", lambda event: sent.append(event["encodedDataLength"]))
    network.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.goto(KNOW, wait_until="networkidle")
    assert len(sent) in (3, 4)  # the page, its style, its script; its icon, too, where no page before has fetched it
    assert sum(sent) < 80_000
    page.locator("label[for=reach-far]").click()
    page.wait_for_url("**reach=far**")
    page.get_by_label("What else do you know?").press_sequentially("paint")
    expect(page.get_by_role("option", name="Painting").first).to_be_visible()
    page.goto("/", wait_until="networkidle")
    assert page.evaluate("shifted") < 0.02
    visit.context.close()
    assert (visit.messages, visit.foreign) == ([], [])


def test_nothing_moves_for_who_wants_it_still(visit: Visit) -> None:
    visit.page.emulate_media(reduced_motion="reduce")
    visit.page.goto(KNOW)
    moving = visit.page.evaluate(
        "[...document.querySelectorAll('*')].filter((one) => getComputedStyle(one).transitionDuration !== '0s').length"
    )
    assert moving == 0


def test_dot_leads_to_its_card_or_its_row(visit: Visit) -> None:
    page = visit.page
    page.goto(KNOW)
    page.locator(".map-wide a[href^='#event-'] circle").first.click()
    expect(page.locator(".pick:target")).to_be_visible()
    page.locator(".map-wide a[href^='#topic-'] circle").first.click()
    expect(page.locator("tr:target")).to_be_visible()  # the table opens by itself


def test_operator_goes_from_a_failing_source_to_its_remedy(visit: Visit, site: Site, operator: list[Any]) -> None:
    site.origin.serve("/robots.txt", status=404)
    site.origin.serve("/broken.ics", "gone fishing", status=500)
    visit.context.add_cookies(operator)
    page = visit.page
    page.goto("/ops")
    page.get_by_label("Address of a calendar, feed or page").fill(site.origin.url("/broken.ics"))
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#notice")).to_have_text("1 added; read within a minute.")
    added = page.evaluate("fetch('/api/v1/sources?limit=100').then((answer) => answer.json())")["data"]
    (number,) = [one["id"] for one in added if one["url"].endswith("/broken.ics")]
    visit.context.request.post(f"/ops/sources/{number}/collect")  # what the schedule does by itself
    page.goto("/ops")
    row = page.locator("#trouble li", has_text="broken.ics")
    expect(row).to_contain_text("500")
    site.origin.serve(
        "/broken.ics",
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nEND:VCALENDAR\r\n",
        content_type="text/calendar",
    )
    row.get_by_role("button", name="Try now").click()
    expect(page.locator("#notice")).to_contain_text("It answers: 0 new, 0 changed, 0 cancelled.")
    expect(row).to_have_count(0)
    expect(page.locator("#audit")).to_contain_text("source.collect")


def test_operator_adds_a_source_sees_it_and_removes_the_demonstration(
    visit: Visit, site: Site, operator: list[Any]
) -> None:
    site.origin.serve("/robots.txt", status=404)
    site.origin.serve(
        "/a-new-one.ics",
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nEND:VCALENDAR\r\n",
        content_type="text/calendar",
    )
    visit.context.add_cookies(operator)
    page = visit.page
    page.goto("/sign-in")  # who is signed in already is led on
    expect(page.get_by_role("heading", level=1)).to_have_text("Operate")
    page.get_by_label("Address of a calendar, feed or page").fill(site.origin.url("/a-new-one.ics"))
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#notice")).to_have_text("1 added; read within a minute.")
    expect(page.locator(".plain li").first).to_contain_text(site.origin.url("/a-new-one.ics"))
    page.get_by_role("link", name="All sources").first.click()
    expect(page.get_by_role("row").filter(has_text="a-new-one.ics")).to_have_count(1)
    page.get_by_role("button", name="Remove the demonstration").click()
    expect(page.locator("#notice")).to_have_text("The demonstration is gone.")
    expect(page.locator(".demo")).to_have_count(0)
    page.goto("/sources")
    expect(page.locator("tbody tr").filter(has_text="demo.example")).to_have_count(0)
    page.goto(f"{KNOW}&mode=in_person")  # chats of the registry stay
    expect(page.locator("#events-title")).to_have_text("Nothing worth an evening yet")
    assert page.locator(".map-wide .speck").count() >= 5  # never an empty map
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()


ASKED_FROM_ELSEWHERE = """async (site) => {
    const ask = async (path, { token, body, ...more } = {}) => {
        const headers = { ...(token && { Authorization: `Bearer ${token}` }), "Content-Type": "application/json" };
        const answer = await fetch(site + path, { ...more, headers, body: body && JSON.stringify(body) });
        return [answer.status, await answer.json(), answer.headers];
    };
    const [, { data: guest }] = await ask("/api/v1/me", { method: "POST" });
    const token = guest.token;
    const [, { data: me }] = await ask("/api/v1/me", { token });
    const [listed, , headers] = await ask("/api/v1/events?limit=1");
    const told = [];
    for (const [path, more] of [
        ["/api/v1/me", {}],
        ["/api/v1/me", { token: "adj_k_nonsense" }],
        ["/api/v1/sources", { method: "POST", token, body: { url: "https://a.example/" } }],
        ["/api/v1/nothing", {}],
        ["/api/v1/events", { method: "PUT" }],
        ["/api/v1/events?colour=red", {}],
        ["/api/v1/me/hidden", { method: "POST", token, body: { kind: "topic", subject: "Nonsensology" } }],
        ["/api/v1/recommendations", { method: "POST", body: { near: "x".repeat(70000) } }],
        ["/api/v1/sign-in/confirm", { method: "POST", body: { email: "ada@example.org", code: "000000" } }],
    ]) {
        const [status, problem] = await ask(path, more);
        told.push([status, problem.status]);
    }
    const withCookies = await fetch(site + "/api/v1/me", { credentials: "include" }).catch((error) => error.name);
    return { listed, tag: headers.get("ETag") !== null, email: me.email, told, withCookies };
}"""


def test_page_of_another_site_reads_every_answer_and_never_with_our_cookie(
    browser: Browser, site: Site, operator: list[Any]
) -> None:
    site.origin.serve("/app", "<!doctype html><title>App</title>", content_type="text/html")
    context = browser.new_context()
    context.add_cookies(operator)
    page = context.new_page()
    page.goto(site.origin.url("/app").replace("127.0.0.1", "localhost"))
    seen = page.evaluate(ASKED_FROM_ELSEWHERE, site.url)
    context.close()
    refused = (401, 401, 403, 404, 405, 422, 422, 413, 403)
    assert seen == {
        "listed": 200,
        "tag": True,
        "email": None,
        "told": [[status, status] for status in refused],
        "withCookies": "TypeError",
    }
