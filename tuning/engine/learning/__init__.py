"""Tuning a base model: data, decoder, adapters, optimizer, and the loop over them. Loads torch."""
