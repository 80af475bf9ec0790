"""/docs: the API for people, drawn from its OpenAPI document; no script and nothing from elsewhere."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, select_autoescape

from app.api.answers import PUBLIC
from app.api.problems import ProblemDetails

router = APIRouter(tags=["about"])

STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
code, .method { font-family: ui-monospace, monospace }
details { border-top: 1px solid #8886; padding: .4rem 0 }
summary { cursor: pointer }
.method { display: inline-block; min-width: 4.5rem; font-weight: 600 }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0 }
"""
POLICY = "default-src 'none'; style-src 'sha256-{}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{ info.title }} API</title>
<style>{{ style | safe }}</style></head>
<body>
<h1>{{ info.title }} API</h1>
<p>{{ info.summary }}. The same, for programs: <a href="/openapi.json">openapi.json</a>.</p>
{% for tag, operations in groups.items() %}
<h2>{{ tag }}</h2>
{% for one in operations %}
<details id="{{ one.operationId }}">
<summary><span class="method">{{ one.method }}</span> <code>{{ one.path }}</code> {{ one.summary }}</summary>
{% if one.description %}<p>{{ one.description }}</p>{% endif %}
{% if one.fields %}
<table><thead><tr><th>name</th><th>in</th><th>type</th><th>meaning</th></tr></thead><tbody>
{% for field in one.fields %}
<tr><td><code>{{ field.name }}</code>{% if field.required %} *{% endif %}</td><td>{{ field.place }}</td>
<td>{{ field.type }}</td><td>{{ field.description }}</td></tr>
{% endfor %}
</tbody></table>
{% endif %}
<p>Answers: {% for status, response in one.responses.items() %}
<code>{{ status }}</code> {{ response.description }}{{ "" if loop.last else ", " }}{% endfor %}</p>
</details>
{% endfor %}
{% endfor %}
</body>
</html>
"""


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, made once an app, with what no route says by itself: problems, and who needs a token."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, summary=app.summary, routes=app.routes, openapi_version="3.1.0"
        )
        problem = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
        document["components"]["schemas"] |= problem.pop("$defs") | {"ProblemDetails": problem}
        document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        for operation in (one for methods in document["paths"].values() for one in methods.values()):
            if "401" in operation["responses"]:
                operation["security"] = [{"token": []}]
        app.openapi_schema = document
    return app.openapi_schema


@router.get("/docs", include_in_schema=False)
async def show_reference(request: Request) -> Response:
    style = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    headers = {"Cache-Control": PUBLIC, "Content-Security-Policy": POLICY.format(style)}
    return HTMLResponse(_page().render(style=STYLE, **_contents(describe(request.app))), headers=headers)


@cache
def _page() -> Any:
    return Environment(autoescape=select_autoescape(default_for_string=True), trim_blocks=True).from_string(PAGE)


def _contents(document: Mapping[str, Any]) -> dict[str, Any]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            fields = [
                {
                    "name": one["name"],
                    "place": one["in"],
                    "required": one.get("required", False),
                    "type": _type(one["schema"], document),
                    "description": one.get("description", ""),
                }
                for one in operation.get("parameters", ())
            ]
            operation_facts = {**operation, "path": path, "method": method.upper()}
            operation_facts["fields"] = fields + _body_fields(operation, document)
            groups.setdefault(operation["tags"][0], []).append(operation_facts)
    return {"info": document["info"], "groups": groups}


def _body_fields(operation: Mapping[str, Any], document: Mapping[str, Any]) -> list[dict[str, Any]]:
    if "requestBody" not in operation:
        return []
    schema = _resolved(operation["requestBody"]["content"]["application/json"]["schema"], document)
    return [
        {
            "name": name,
            "place": "body",
            "required": name in schema.get("required", ()),
            "type": _type(field, document),
            "description": field.get("description", ""),
        }
        for name, field in schema.get("properties", {}).items()
    ]


def _resolved(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the object schema behind references and "or null"."""
    for option in schema.get("anyOf", ()):
        if option.get("type") != "null":
            return _resolved(option, document)
    if "$ref" in schema:
        return cast("Mapping[str, Any]", document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    return schema


def _type(schema: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """Return a schema's type in a few words."""
    if "anyOf" in schema:
        return " or ".join(_type(one, document) for one in schema["anyOf"] if one.get("type") != "null")
    if "enum" in schema:
        return ", ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"several: {_type(schema['items'], document)}"
    return str(_resolved(schema, document).get("type", ""))
