"""Base models: which there are, what they are made of, how they are read, prompted and written out. Loads no torch."""
