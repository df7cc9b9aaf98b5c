"""One self-contained HTML page a run: read, count, pack, render. Nothing here changes a run."""
