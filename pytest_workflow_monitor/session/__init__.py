"""What a session knows of where it runs, and how its workers hand over what they recorded."""
