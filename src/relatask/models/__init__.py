"""Trained models as things that stand alone: saved by the journal, loaded and asked anywhere."""
