"""How our own annotation page looks and behaves: styles, keyboard and texts, said once.

The self-contained file (formats/page.py) and the local server (serve/) are made from these.
"""
