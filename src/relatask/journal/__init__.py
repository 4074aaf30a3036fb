"""Finished runs, their digests, heartbeats, status and merge; neither pydantic nor torch."""
