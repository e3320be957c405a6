"""Tests of the report and the documents they are made from."""
