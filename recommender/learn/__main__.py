"""Learn adjacency: `python -m recommender.learn [--data ../shared/adjacency]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from recommender.adjacency import ARTEFACT
from recommender.catalogue import load_catalogue
from recommender.learn.build import build_adjacency


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m recommender.learn", description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/adjacency"), help="folder of the data to learn from"
    )
    parser.add_argument("--out", type=Path, default=ARTEFACT)
    chosen = parser.parse_args()
    build_adjacency(chosen.data, load_catalogue(), chosen.out)
    print(f"{chosen.out}: {chosen.out.stat().st_size / 1e6:.2f} MB")


main()
