"""The library's list: what is searched, narrowed, sorted, shown, and done to many models at once."""
