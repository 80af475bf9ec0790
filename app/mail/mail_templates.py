"""Mails from templates: NAME.txt, written as text, and NAME.html, whose styles are inlined when it is loaded.

Inlining costs more than rendering, so it is done once a template and not once a mail; so is translating: `_("…")` in a
template becomes the text in the language of its environment. Sentences with something in them come worded. What is
Jinja's is hidden from the HTML parser meanwhile: statements as comments, which it lets stand between the rows of a
`<tbody>`, too; expressions as words, which may stand in an attribute.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from app.words.wording import SOURCE_LANGUAGE, Wording, wording_of

FOLDER = Path(__file__).parent / "templates"
LINE = 74  # characters of a text part's line
_TEXT = re.compile(r'\b_\("([^"]+)"\)')
_STATEMENT = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_HIDDEN = re.compile(r"<!--jinja(\d+)-->|jinja(\d+)x")


def compose(template: str, wording: Wording, **facts: Any) -> tuple[str, str]:
    """Return text and HTML of a mail."""
    templates = _templates(wording.language)
    text, html = (templates.get_template(f"{template}.{kind}").render(facts) for kind in ("txt", "html"))
    return text, html


@cache
def _templates(language: str) -> Environment:
    wording = wording_of(language)
    environment = Environment(
        loader=_Loader(FOLDER, wording),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.filters["wrapped"] = _wrapped
    environment.globals |= {"language": language, "is_translated": language != SOURCE_LANGUAGE}
    return environment


def _wrapped(words: str, indent: str = "", first: str | None = None) -> str:
    """Return a paragraph of a text part, broken into lines people read; addresses stay whole.

    By hand: textwrap takes a fifth of the time of a whole mail.
    """
    begun = indent if first is None else first
    parts = words.split()
    whole = begun + " ".join(parts)
    if len(whole) <= LINE:
        return whole
    lines = [begun]
    is_empty = True
    for word in parts:
        if not is_empty and len(lines[-1]) + len(word) >= LINE:
            lines.append(indent)
            is_empty = True
        lines[-1] += word if is_empty else f" {word}"
        is_empty = False
    return "\n".join(lines)


class _Loader(FileSystemLoader):
    """Loads templates in one language; HTML with the styles of mail.css in its elements, except those for dark screens
    (frame.html).
    """

    def __init__(self, folder: Path, wording: Wording) -> None:
        super().__init__(folder)
        self._wording = wording

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        source, name, is_fresh = super().get_source(environment, template)
        source = translated(source, self._wording)
        if template.endswith(".html"):
            source = inlined(source, (FOLDER / "mail.css").read_text(encoding="utf-8"))
        return source, name, is_fresh


def translated(source: str, wording: Wording) -> str:
    """Return a template with the texts of a language in it, as string literals of Jinja."""
    return _TEXT.sub(lambda found: json.dumps(wording.text(found[1]), ensure_ascii=False), source)


def inlined(source: str, css: str) -> str:
    """Return a template with the rules of a style sheet in its elements' style attributes."""
    hidden: list[str] = []

    def hide(form: str) -> Callable[[re.Match[str]], str]:
        def replaced(found: re.Match[str]) -> str:
            hidden.append(found[0])
            return form.format(len(hidden) - 1)

        return replaced

    plain = _EXPRESSION.sub(hide("jinja{}x"), _STATEMENT.sub(hide("<!--jinja{}-->"), source))
    is_whole = "<html" in source
    inliner = css_inline.CSSInliner(extra_css=css if is_whole else None, load_remote_stylesheets=False)
    styled = inliner.inline(plain) if is_whole else inliner.inline_fragment(plain, css)
    return _HIDDEN.sub(lambda found: hidden[int(found[1] or found[2])], styled)
