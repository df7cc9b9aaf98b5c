"""Is everything there that a configuration needs? Endpoints, the encoder, the assets."""
