"""The calls of the contract, a file per noun."""
