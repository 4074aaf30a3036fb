"""SGNN and SGNN-EBM (Liu et al., 2022) with the loop of the latter."""
