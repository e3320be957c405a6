"""From what is known of a period to its report."""
