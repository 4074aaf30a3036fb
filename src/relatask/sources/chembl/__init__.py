"""Activities and targets from ChEMBL."""
