"""The whole library in one file, to be kept or taken to another installation: written, checked and read again."""
