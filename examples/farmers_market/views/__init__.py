"""The shop's pages and its JSON API, one module for each part of the shop."""
