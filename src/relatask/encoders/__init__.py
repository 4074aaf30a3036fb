"""Encoders: x to embedding, one file each."""
