"""Turns a session's document into HTML, JSON and Markdown."""
