"""Sentence embeddings and what follows from them: near-duplicates and diversity."""
