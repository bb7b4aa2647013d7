"""The interpreters: one room per foreign language, and the few rooms that several dialects share."""
