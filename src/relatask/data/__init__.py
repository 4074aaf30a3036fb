"""Sources, standardisation, relation graphs, densification, splits, features and the planted data."""
