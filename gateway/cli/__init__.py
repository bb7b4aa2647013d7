"""The command line: run the house, look into it, send to it. Chinese first, English beside it."""
