"""Tests of SAME."""
