"""The LSC data set: its pickles and tables."""
