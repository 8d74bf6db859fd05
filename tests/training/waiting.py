"""Following a run in a test until something is true of it."""

import time

from pipeline import runs

PATIENCE = 240  # seconds


def wait(run_dir, until):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        run = runs.read_run(run_dir)
        if until(run):
            return run
        time.sleep(0.01)
    raise AssertionError(f"still {runs.read_run(run_dir)}: {(run_dir / 'log.txt').read_text()[-3000:]}")
