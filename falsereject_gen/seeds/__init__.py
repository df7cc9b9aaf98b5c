"""Seeds: read from every public format, normalised, de-duplicated, categorised."""
