"""Predictions of files of any length by a trained model: rows in, parts, processes, and the file out."""
