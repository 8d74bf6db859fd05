"""Training workers that may take only so much more memory once a step is done: `short_of_memory.py STEP DIR=MIB ...`.

The limit is the system's own, so that torch fails as it does on a computer that is full. Prints each exit code.
"""

import os
import resource
import sys
import threading
import time
from pathlib import Path

from pipeline.runs.state import read_state
from pipeline.training.worker import main


def taken() -> int:
    """Bytes that count against the limit: what this process may write to and shares with none."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmData:")[2].split()[0])


def limit(run_dir: Path, step: int, room: int) -> None:
    while (state := read_state(run_dir)) is None or state.status != "running" or state.step < step:
        time.sleep(0.001)
    resource.setrlimit(resource.RLIMIT_DATA, (taken() + room, resource.RLIM_INFINITY))


for place in sys.argv[2:]:
    if child := os.fork():  # a worker holds its locks for as long as its process lives
        os.waitpid(child, 0)
        continue
    run_dir, room = Path(place.partition("=")[0]), int(place.partition("=")[2]) * 2**20
    threading.Thread(target=limit, args=(run_dir, int(sys.argv[1]), room), daemon=True).start()
    print(run_dir.name, main([str(run_dir)]), flush=True)
    os._exit(0)
