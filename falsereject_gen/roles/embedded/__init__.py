"""The embedded cast: plays every role offline, without a key and without a language model."""
