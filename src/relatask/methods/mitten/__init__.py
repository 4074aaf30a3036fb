"""L2T-MITTEN with its transfer block and its loop."""
