"""Examples of bodies and answers, put together from those of their fields, so that none has to be written out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

JSON = "application/json"
OF_FORMATS = {"date-time": "2026-12-01T09:00:00+00:00", "date": "2026-12-01"}
OF_TYPES: Mapping[str, Any] = {"boolean": True, "integer": 1, "number": 0.5, "string": "…", "null": None}


def example_of(schema: Schema, schemas: Schema) -> Any:
    """Return a value of a JSON schema; `schemas` are those it refers to."""
    if schema.get("examples"):
        return schema["examples"][0]
    if "$ref" in schema:
        return example_of(referred(schema, schemas), schemas)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], schemas)
    if "properties" in schema:
        return {name: example_of(field, schemas) for name, field in schema["properties"].items()}
    if schema.get("type") == "object":
        return {}
    if schema.get("type") == "array":
        return [example_of(schema["items"], schemas)]
    if "default" in schema:
        return schema["default"]
    return OF_FORMATS.get(schema.get("format", "")) or OF_TYPES[schema.get("type", "null")]


def referred(schema: Schema, schemas: Schema) -> Schema:
    """Return the schema that another refers to, or itself."""
    found: Schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found


def body_example(schema: Schema, schemas: Schema) -> Any:
    """Return an example of what may be sent: what has to be, and what is worth showing."""
    whole = referred(sole(schema), schemas)
    if "properties" not in whole:
        return example_of(whole, schemas)
    required = whole.get("required", ())
    return {
        name: example_of(field, schemas)
        for name, field in whole["properties"].items()
        if name in required or sole(field).get("examples") or field.get("examples")
    }


def sole(schema: Schema) -> Schema:
    """Return what a schema is where it is not null."""
    options: list[Schema] = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    return options[0] if len(options) == 1 else schema


def illustrate(document: dict[str, Any]) -> None:
    """Give every body and every answer of an OpenAPI document that is JSON an example."""
    schemas = document["components"]["schemas"]
    for operation in (one for methods in document["paths"].values() for one in methods.values()):
        if body := body_of(operation):
            body["example"] = body_example(body["schema"], schemas)
        for media in answers_of(operation):
            if media["schema"]:
                media["example"] = example_of(media["schema"], schemas)


def body_of(operation: Schema) -> dict[str, Any]:
    """Return what an operation takes as JSON, empty where it takes none."""
    body: dict[str, Any] = operation.get("requestBody", {}).get("content", {}).get(JSON, {})
    return body


def answers_of(operation: Schema) -> list[dict[str, Any]]:
    """Return the JSON that an operation answers with where all goes well."""
    contents = [response.get("content", {}) for status, response in operation["responses"].items() if status < "300"]
    return [media for content in contents for kind, media in content.items() if kind.endswith("json")]
