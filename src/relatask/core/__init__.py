"""Errors, files, tables, the registry: what everything else stands on."""
