"""Who speaks: one-method protocols, and the casts that play them."""
