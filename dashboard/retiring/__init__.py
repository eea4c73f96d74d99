"""Models that are done with: archived, in the bin, expired, cleaned up by rule.

What is in the bin is hidden, nothing else: job, curve and adapter stay as they are until the grace is over. Then the
worker asks the service to delete the model (:mod:`dashboard.retiring.tasks`).
"""
