"""Estimators of gains: one file each, with a literal `ESTIMATOR` and `estimate(request)`."""
