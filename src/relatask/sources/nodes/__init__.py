"""Graphs whose nodes are the items: their edges and labels become tables."""
