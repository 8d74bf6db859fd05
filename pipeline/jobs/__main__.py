"""What a job runs: `python -m pipeline.jobs DATA_DIR REPO`."""

import sys

from pipeline.jobs.worker import main

sys.exit(main(sys.argv[1:]))
