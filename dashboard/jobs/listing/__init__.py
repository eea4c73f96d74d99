"""The list of jobs: what is searched, filtered, sorted, shown, and done to many at once."""
