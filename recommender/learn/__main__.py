"""Learn all that the recommender ships: `python -m recommender.learn [--data ../shared/adjacency]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from recommender import adjacency, purpose, tagging_model
from recommender.catalogue import load_catalogue
from recommender.learn.build import build_adjacency
from recommender.learn.purpose import build_purpose
from recommender.learn.tagging import build_tagging

BUILDS = (
    (build_adjacency, adjacency.ARTEFACT.name),
    (build_tagging, tagging_model.ARTEFACT.name),
    (build_purpose, purpose.ARTEFACT.name),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m recommender.learn", description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/adjacency"), help="folder of the data to learn from"
    )
    parser.add_argument("--out", type=Path, default=adjacency.ARTEFACT.parent, help="folder to write to")
    chosen = parser.parse_args()
    catalogue = load_catalogue()
    for build, name in BUILDS:
        path = chosen.out / name
        build(chosen.data, catalogue, path)
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


main()
