"""How fast Adjacent is, beside the libraries it could use instead."""

import os

# As the command line does: a thread of the algebra's that waits for work burns a processor, and is none of our work.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
