"""Graphs whose nodes and pairs of nodes are items too, with tasks at each of the three levels."""
