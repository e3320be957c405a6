"""The words of the product beside :mod:`~pytest_workflow_monitor.model`: records and names."""
