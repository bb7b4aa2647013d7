"""Real servers for the tests, from packages alone: each a process of our own, in a directory of its own, ended by its id."""
