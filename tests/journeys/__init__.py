"""Whole journeys: a real gateway, real mocks in processes of their own, HTTP between them."""
