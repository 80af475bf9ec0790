"""/docs: the API for people, drawn from its OpenAPI document (/openapi.json); no script and nothing from elsewhere."""

from __future__ import annotations

import asyncio
import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from jinja2 import Environment, select_autoescape
from markupsafe import Markup, escape

from app.api.answers import PUBLIC
from app.api.conditional import promise
from app.api.examples import answers_of, body_of, example_of, referred, sole
from app.api.openapi import describe
from app.api.problems import KINDS

router = APIRouter(tags=["about"])

STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: break-word }
code, pre, .method { font-family: ui-monospace, monospace; font-size: .92em }
pre { background: #8881; border-radius: .3rem; padding: .6rem .8rem; overflow-x: auto; max-height: 28rem }
details { border-top: 1px solid #8886; padding: .4rem 0 }
summary { cursor: pointer }
.method { display: inline-block; min-width: 4.5rem; font-weight: 600 }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0 }
h3 { margin-bottom: .2rem }
"""
POLICY = "default-src 'none'; style-src 'sha256-{}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{ info.title }} API</title>
<style>{{ style | safe }}</style></head>
<body>
<h1>{{ info.title }} API</h1>
<p>{{ info.summary }}. The same, for programs: <a href="/openapi.json">openapi.json</a>.</p>
{% for paragraph in info.description.split("\\n\\n") %}
<p>{{ paragraph | marked }}</p>
{% endfor %}
<p>{% for tag in groups %}<a href="#{{ tag }}">{{ tag }}</a> · {% endfor %}
<a href="#shapes">shapes</a> · <a href="#problems">problems</a></p>
{% for tag, operations in groups.items() %}
<h2 id="{{ tag }}">{{ tag }}</h2>
<p>{{ tags[tag] }}</p>
{% for one in operations %}
<details>
<summary><span class="method">{{ one.method }}</span> <code>{{ one.path }}</code> {{ one.summary }}</summary>
<div id="{{ one.name }}">
{% if one.description %}<p>{{ one.description | marked }}</p>{% endif %}
{% if one.fields %}
<table><thead><tr><th>name</th><th>in</th><th>type</th><th>meaning</th></tr></thead><tbody>
{% for field in one.fields %}
<tr><td><code>{{ field.name }}</code>{% if field.required %} *{% endif %}</td><td>{{ field.place }}</td>
<td>{{ field.type }}</td>
<td>{{ field.description | marked }}{% if field.default %} If not given: <code>{{ field.default }}</code>.{% endif %}</td></tr>
{% endfor %}
</tbody></table>
{% endif %}
<pre>{{ one.asked }}</pre>
{% if one.example %}<pre>{{ one.example }}</pre>{% endif %}
<p>{% if one.shape %}The answer is <a href="#{{ one.shape }}">{{ one.shape }}</a>. {% endif %}
{% for status, response in one.responses.items() %}
<code>{{ status }}</code> {{ response.description | marked }}{{ "" if loop.last else ", " }}{% endfor %}</p>
</div>
</details>
{% endfor %}
{% endfor %}
<h2 id="shapes">Shapes</h2>
<p>What answers are made of. No answer holds fields that do not stand here.</p>
{% for name, fields in shapes.items() %}
<h3 id="{{ name }}">{{ name }}</h3>
<table><thead><tr><th>name</th><th>type</th><th>meaning</th></tr></thead><tbody>
{% for field in fields %}
<tr><td><code>{{ field.name }}</code></td>
<td>{% if field.shape %}<a href="#{{ field.shape }}">{{ field.type }}</a>{% else %}{{ field.type }}{% endif %}</td>
<td>{{ field.description | marked }}</td></tr>
{% endfor %}
</tbody></table>
{% endfor %}
<h2 id="problems">Problems</h2>
<p>What the <code>type</code> of an error means.</p>
<table><tbody>
{% for name, meaning in problems.items() %}
<tr><td><code>/problems/{{ name }}</code></td><td>{{ meaning | marked }}</td></tr>
{% endfor %}
</tbody></table>
</body>
</html>
"""

Schema = Mapping[str, Any]


@router.get("/docs", include_in_schema=False)
async def show_reference(request: Request) -> Response:
    style = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    headers = {"Cache-Control": PUBLIC, "Content-Security-Policy": POLICY.format(style)}
    document, base_url = await _document(request), request.app.state.settings.base_url
    _promise(request)
    return HTMLResponse(_page().render(style=STYLE, problems=KINDS, **contents(document, base_url)), headers=headers)


@router.get("/openapi.json", include_in_schema=False)
async def show_document(request: Request) -> Response:
    document = await _document(request)
    _promise(request)
    return JSONResponse(document, headers={"Cache-Control": PUBLIC})


def _promise(request: Request) -> None:
    if not request.url.query:  # which nobody looks at: each would be kept as an answer of its own
        promise(request, {}, until=None)


async def _document(request: Request) -> dict[str, Any]:
    # The first one takes a second of computing, which must not hold up who asks for something else.
    return await asyncio.to_thread(describe, request.app)


@cache
def _page() -> Any:
    page = Environment(autoescape=select_autoescape(default_for_string=True), trim_blocks=True)
    page.filters["marked"] = marked
    return page.from_string(PAGE)


def marked(text: str) -> Markup:
    """Return a text of ours with what stands between grave accents as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 (it was escaped)


def contents(document: Schema, base_url: str) -> dict[str, Any]:
    """Return what the page shows of a document."""
    schemas = document["components"]["schemas"]
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            shown = _operation(path, method.upper(), operation, schemas, base_url)
            groups.setdefault(operation["tags"][0], []).append(shown)
    return {
        "info": document["info"],
        "tags": {one["name"]: one["description"] for one in document["tags"]},
        "groups": groups,
        "shapes": {
            name: [_field(one, field, schemas) for one, field in schema["properties"].items()]
            for name, schema in sorted(schemas.items())
            if "properties" in schema
        },
    }


def _operation(path: str, method: str, operation: Schema, schemas: Schema, base_url: str) -> dict[str, Any]:
    parameters = [
        _field(one["name"], {**sole(one["schema"]), "description": one.get("description", "")}, schemas)
        | _asked_for(one["in"], one["schema"], is_required=one.get("required", False))
        for one in operation.get("parameters", ())
    ]
    answer = next(iter(answers_of(operation)), {})
    return {
        "path": path,
        "method": method,
        "name": operation["operationId"],
        "summary": operation["summary"],
        "description": operation.get("description", ""),
        "responses": operation["responses"],
        "fields": parameters + _body_fields(operation, schemas),
        "asked": asked(path, method, operation, schemas, base_url),
        "example": _pretty(answer["example"]) if "example" in answer else "",
        "shape": _shape(answer.get("schema", {})),
    }


def asked(path: str, method: str, operation: Schema, schemas: Schema, base_url: str) -> str:
    """Return the command that asks for an operation, with the examples of its parameters."""
    query = []
    for one in operation.get("parameters", ()):
        is_shown = one["in"] == "path" or one.get("required") or "examples" in one["schema"]
        value = str(example_of(one["schema"], schemas)) if is_shown else ""
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", quote(value))
        elif is_shown:
            query.append((one["name"], value))
    address = f"{base_url}{path}{'?' if query else ''}{urlencode(query, safe=',:')}"
    parts = ["curl", *([] if method == "GET" else [f"-X {method}"]), f"'{address}'"]
    if "security" in operation:
        parts.append("\\\n  -H 'Authorization: Bearer …'")
    if body := body_of(operation):
        sent = orjson.dumps(body["example"]).decode().replace("'", "’")
        parts.append(f"\\\n  -H 'Content-Type: application/json' \\\n  -d '{sent}'")
    return " ".join(parts)


def _pretty(example: Any) -> str:
    return orjson.dumps(example, option=orjson.OPT_INDENT_2).decode()


def _body_fields(operation: Schema, schemas: Schema) -> list[dict[str, Any]]:
    schema = referred(sole(body_of(operation).get("schema", {})), schemas)
    return [
        _field(name, field, schemas) | _asked_for("body", field, is_required=name in schema.get("required", ()))
        for name, field in schema.get("properties", {}).items()
    ]


def _asked_for(place: str, schema: Schema, *, is_required: bool) -> dict[str, Any]:
    default = schema.get("default")
    told = "" if default in (None, [], {}, "") else orjson.dumps(default).decode().strip('"')
    return {"place": place, "required": is_required, "default": told}


def _field(name: str, schema: Schema, schemas: Schema) -> dict[str, Any]:
    described = schema.get("description") or sole(schema).get("description") or ""
    return {"name": name, "type": _type(schema, schemas), "shape": _shape(schema), "description": described}


def _shape(schema: Schema) -> str:
    """Return the name of the schema that a field holds one or several of, or ""."""
    schema = sole(schema)
    while schema.get("type") == "array":
        schema = sole(schema["items"])
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _type(schema: Schema, schemas: Schema) -> str:
    """Return a schema's type in a few words."""
    if "anyOf" in schema:
        return " or ".join(_type(one, schemas) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"several: {_type(schema['items'], schemas)}"
    if "$ref" in schema:
        return _shape(schema)
    return str(schema.get("format") or schema.get("type", "any"))
