"""Multi-task learning with task relations, above all for molecules measured in many assays."""

__version__ = "0.1.0"
