"""The same steps on the command line."""

from pipeline.cli.commands import main

__all__ = ["main"]
