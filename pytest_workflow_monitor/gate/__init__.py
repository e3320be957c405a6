"""The gate of a session: watches how pytest ends, and asks what is known from before."""
