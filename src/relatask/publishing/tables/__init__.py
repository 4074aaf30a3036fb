"""Tables of a study: one file each, with a literal `TABLE` and `make(inputs)`."""
