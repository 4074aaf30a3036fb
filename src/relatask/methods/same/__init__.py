"""SAME (iSAME and eSAME), its baselines, and the linear classifier that measures embeddings."""
