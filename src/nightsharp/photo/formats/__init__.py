"""One file per format: how its header is read, its pixels decoded, a new file encoded."""
