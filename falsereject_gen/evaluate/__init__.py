"""Measures of a dataset of prompts: diversity, openings, length, balance, coverage."""
