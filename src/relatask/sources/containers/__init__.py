"""Kinds of files that hold tables: one file each, with a literal ``CONTAINER`` and a function ``open_file``.

The keys of the literal are those of `relatask.sources.table_files.ContainerRecord`.
"""
