"""The columns and types of every table on disk, by kind; `relatask.core.tables` reads and writes them.

Key columns come first. A trailing "?" of a type allows nulls.
"""
