"""What runs inside the test process: steps, metrics, attachments and the flight recorder."""
