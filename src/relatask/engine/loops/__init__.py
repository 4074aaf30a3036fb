"""Training loops; a method names its loop in its capabilities.

`relatask.engine.contract` says what a module has.
"""
