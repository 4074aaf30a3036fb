"""Molecules, labels and links with a known truth."""
