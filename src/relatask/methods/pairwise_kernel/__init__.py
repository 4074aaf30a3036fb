"""Kernel ridge regression on pairs of a molecule and a task."""
