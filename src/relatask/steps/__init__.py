"""One file per rule: arguments in, files out."""
