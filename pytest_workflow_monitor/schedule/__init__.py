"""Schedules at work: the catalogue, the dispatch of slots, the workers that run them."""
