"""Rules and ciphers, without a database: who may do what, how data is sealed, where requests may go."""
