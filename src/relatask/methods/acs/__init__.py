"""Adaptive checkpointing with specialization."""
