"""The training worker: `python -m pipeline.training RUN_DIR`."""

import sys

from pipeline.training.worker import main

sys.exit(main(sys.argv[1:]))
