"""The same steps on the command line."""
