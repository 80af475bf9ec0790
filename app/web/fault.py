"""What browsers are shown when something fails here: a page that asks for nothing, since that may be what fails."""

from __future__ import annotations

from fastapi.responses import HTMLResponse

from app.web.assets import asset
from app.web.rendering import POLICY

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Something failed · Adjacent</title>
<link rel="stylesheet" href="{style}">
</head>
<body>
<header class="top"><a class="brand" href="/">Adjacent</a></header>
<main id="main">
<section class="narrow">
  <h1>Something failed here</h1>
  <p class="lead">This is a fault of ours, and it was written down. Trying again in a while may help.</p>
  <p><a class="button quiet" href="/">To the events</a></p>
</section>
</main>
</body>
</html>
"""


def fault() -> HTMLResponse:
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    return HTMLResponse(PAGE.format(style=asset("style.css")), 500, headers)
