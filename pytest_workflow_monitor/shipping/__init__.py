"""From a session's journal to the database: how the shipper is started, and what it ships."""
