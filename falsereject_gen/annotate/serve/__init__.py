"""`annotate serve`: a small local web app with which a team annotates a batch.

Server-rendered from annotate/pages/; it holds no answers but those of answers.sqlite.
"""
