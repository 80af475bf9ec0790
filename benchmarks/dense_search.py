"""Exact search over dense vectors by faiss-cpu, in a process of its own: its BLAS and scipy's slow one another down.

Prints the CPU seconds a person, or nothing where faiss-cpu is not installed.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys

SEARCH = """
import sys, time
import faiss, numpy as np
events, people, dimensions, top = map(int, sys.argv[1:])
faiss.omp_set_num_threads(1)
rng = np.random.default_rng(3)
index = faiss.IndexFlatIP(dimensions)
index.add(rng.standard_normal((events, dimensions)).astype(np.float32))
asked = rng.standard_normal((people, dimensions)).astype(np.float32)
spent = []
for _ in range(3):
    begun = time.process_time()
    index.search(asked, top)
    spent.append(time.process_time() - begun)
print(min(spent) / people)
"""


def seconds_a_person(*, events: int, people: int, dimensions: int, top: int) -> float | None:
    if importlib.util.find_spec("faiss") is None:
        return None
    asked = [str(number) for number in (events, people, dimensions, top)]
    ran = subprocess.run([sys.executable, "-c", SEARCH, *asked], capture_output=True, text=True, check=True)
    return float(ran.stdout)
