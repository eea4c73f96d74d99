"""Tuning itself: no HTML, useful without the dashboard.

``resources``, ``wire`` and ``errors`` are the vocabulary; ``client`` and ``providers`` ask a
tuning service for work; ``server`` is such a service; ``engine`` does the work.
"""
