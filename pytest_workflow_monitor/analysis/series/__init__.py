"""Series of values: what is normal, what is anomalous, where the level changed, where it leads."""
