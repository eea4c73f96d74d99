"""What the lists of jobs and of models have in common: columns and orders, filters in an address, pages of rows, and
views under a name.
"""
