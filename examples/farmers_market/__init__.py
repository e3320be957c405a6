"""Orchard Lane, a small farmers' market: the web shop that the example workflows watch."""
