"""How good the methods of analysis are, on series and executions whose truth is known."""
