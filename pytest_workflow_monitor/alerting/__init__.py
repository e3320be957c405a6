"""Alert decisions: pure functions over records, which take the time as an argument."""
