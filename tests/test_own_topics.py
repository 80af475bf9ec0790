"""An operator's own topics, as every command and the service know them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

LACE = """
[textile-crafts.topics]
bobbin-lace = {label = "Bobbin lace", aliases = ["Klöppeln"], neighbours = ["embroidery"], gloss = "lace made on a pillow"}
"""


def run(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from app.cli import main; main()", *arguments],
        env={**os.environ, "ADJACENT_DATA": str(data)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_topics_of_the_data_folder_are_known_to_commands(tmp_path: Path) -> None:
    (tmp_path / "topics.toml").write_text(LACE, "utf-8")
    shown = run(tmp_path, "topics", "show", "klöppeln", "--json")
    assert shown.returncode == 0, shown.stderr
    assert '"slug": "bobbin-lace"' in shown.stdout


def test_broken_topics_stop_a_command_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "topics.toml").write_text(LACE.replace("embroidery", "embroidry"), "utf-8")
    shown = run(tmp_path, "topics", "show", "lace")
    assert (shown.returncode, shown.stderr) == (
        1,
        "adjacent: topics.toml: 'bobbin-lace' has the neighbour 'embroidry', which is no topic's slug: write 'embroidery'\n",
    )
