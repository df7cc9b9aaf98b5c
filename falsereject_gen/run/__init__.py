"""Drives many loops, keeps what they make, survives being killed."""
