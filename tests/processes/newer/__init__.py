"""The next release, as a test knows it: its revision, its tables, its process."""
