"""Multi-task methods, one file each."""
