"""The law of the house: what a case is, what an adapter owes. Pure; nothing here opens a connection or a file of
others."""
