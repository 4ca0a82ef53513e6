"""Whole stories across processes, on real servers; `python -m tests.journeys.chaos` kills them under load."""
