"""Few-shot learning by prototypes, with its loop."""
