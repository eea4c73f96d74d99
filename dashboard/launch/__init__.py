"""Starts Tuneboard on one machine: puts everything in order, then runs the Procfile's processes together."""
