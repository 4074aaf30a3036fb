"""The runs that one job executes in one process; rows composed of several runs."""
