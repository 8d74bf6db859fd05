"""This machine as a line of JSON: `python -m pipeline.machine [t4]`."""

import sys

from pydantic import TypeAdapter

from pipeline.machine.hardware import Machine, this_machine

print(TypeAdapter(Machine).dump_json(this_machine("t4" if "t4" in sys.argv[1:] else None)).decode())
