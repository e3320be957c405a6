"""Tests of what the shipper ships."""
