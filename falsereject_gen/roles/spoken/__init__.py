"""The spoken cast: every role is a card, a prompt and a reply shape, played by a model."""
