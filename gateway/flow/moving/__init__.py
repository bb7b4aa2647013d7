"""How a matter moves, whoever moves it: an order, the loop of read, decide and commit, one refusal, one move, one event."""
