"""Tests of the interpreter of the people's courts' mediation platform."""
