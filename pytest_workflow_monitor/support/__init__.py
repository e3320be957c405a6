"""What any part may use: time at a pace, waiting with a limit, records as bytes, command lines."""
