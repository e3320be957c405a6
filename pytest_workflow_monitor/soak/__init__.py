"""Soak: plays a day of a project's schedules for real, and says whether every slot ran once."""
