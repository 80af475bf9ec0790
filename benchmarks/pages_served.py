"""What a page costs the server: CPU of each, at 50,000 events, beside the API's list of 50 events in the same process."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from app.main import create_app
from app.settings import Settings
from benchmarks import stock
from benchmarks.measure import Row, table

EVENTS = 50_000
TIMES = 12  # of each page, all but the first with another address every time, so that no answer is one that was kept
FIELDS = (
    "Nursing",
    "Painting",
    "Accounting",
    "JavaScript",
    "Teaching",
    "Law",
    "Chess",
    "Choir",
    "UX design",
    "Farming",
)


def rows(events: int = EVENTS) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        base_url = "http://127.0.0.1:8000"
        runner.run(stock.lay(Path(folder) / "adjacent.sqlite3", events, base_url=base_url))
        costs = runner.run(_costs(Path(folder), base_url))
    beside = costs.pop("list")
    for what, cost in costs.items():
        yield Row(
            f"{what}, {events:,} events", f"{cost:.1f} ms CPU", f"list of 50: {beside:.1f} ms", f"{cost / beside:.1f}"
        )


async def _costs(folder: Path, base_url: str) -> dict[str, float]:
    """Return the median CPU of each page in ms; they take turns."""
    settings = Settings.from_environment(
        {"ADJACENT_DATA": str(folder), "ADJACENT_BASE_URL": base_url, "ADJACENT_NOW": stock.NOW.isoformat()}
    )
    app = create_app(settings, works=False, announce=lambda _: None)
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url=base_url) as client:
        guest = httpx.AsyncClient(transport=transport, base_url=base_url)
        await guest.post("/start", data={"know": ["Nursing", "Painting"], "near": "Munich"})
        spent: dict[str, list[float]] = {}
        for number in range(-1, TIMES):  # the first round only warms up
            field, level = FIELDS[number % len(FIELDS)], 1 + number % 5
            asked = {
                "list": (client, f"/api/v1/events?q=evening&tz=UTC&radius_km={number + 2}&near=48.1,11.5"),
                "front page, asked before": (client, "/"),
                "front page of a question": (client, f"/?know={field}:{level}&near=Munich"),
                "front page of a person": (guest, f"/?within={(5, 10, 25, 50)[number % 4]}&days={(7, 14)[number % 2]}"),
                "search with facets": (client, f"/events?q=evening&day=2026-12-{number + 2:02}"),
                "month": (client, f"/events?view=month&day=2026-12-{number + 2:02}"),
            }
            for what, (browser, address) in asked.items():
                begun = time.process_time()
                answer = await browser.get(address, follow_redirects=True, headers={"accept": "text/html,*/*"})
                cost = 1000 * (time.process_time() - begun)
                assert answer.status_code == 200, (address, answer.status_code)
                if number >= 0:
                    spent.setdefault(what, []).append(cost)
        await guest.aclose()
    return {what: sorted(costs)[len(costs) // 2] for what, costs in spent.items()}


if __name__ == "__main__":
    print(table(rows()))
