"""Metrics on saved predictions, aggregation, significance."""
