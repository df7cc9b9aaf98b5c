"""The loop of one brief: generate, discriminate, probe, orchestrate, compare; again if need be."""
