"""Pure functions over executions: outcomes, summaries and, later, trends and baselines."""
