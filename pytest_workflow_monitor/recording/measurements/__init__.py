"""Measures pages, requests, memory and processor time while a workflow runs."""
