"""An operator's own topics: topics.toml in the data folder adds to the bundled catalogue (docs/topics.md)."""

from __future__ import annotations

from collections.abc import Mapping

from app.settings import data_folder

OWN_FILE = "topics.toml"


def read_own_topics(environ: Mapping[str, str]) -> None:
    """Let the process know the operator's topics, where there are some; raises BrokenCatalogue."""
    file = data_folder(environ) / OWN_FILE
    if file.is_file():
        from recommender.catalogue import read_also

        read_also(file)
