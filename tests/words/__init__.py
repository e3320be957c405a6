"""Tests of the words of the product."""
