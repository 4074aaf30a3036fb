"""The runs that one job executes in one process; rows combined from several runs."""
