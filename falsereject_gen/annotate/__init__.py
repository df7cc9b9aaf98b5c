"""Annotation: batches that people label in the tool they use."""
