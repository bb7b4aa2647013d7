"""The web room: calls, answers, refusals."""
