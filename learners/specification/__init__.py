"""Specification: what a learner is, as plain data."""
