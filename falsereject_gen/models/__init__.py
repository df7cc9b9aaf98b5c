"""Models behind OpenAI-compatible endpoints: the only room that speaks HTTP.

`desk.open_models` gives what the rest of the program needs; importing this package imports nothing.
"""
