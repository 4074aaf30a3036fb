"""Layers, kernels, losses, heads and draws that encoders and methods share."""
