"""The published dataset: rows, Parquet files, the card, and the file of what was rejected."""
