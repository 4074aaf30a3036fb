"""MetaLink (Cao et al., 2021) and Baseline++ with their loops."""
