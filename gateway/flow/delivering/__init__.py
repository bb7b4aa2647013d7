"""What step 3 is made of: the line to an endpoint, one exchange over it, what its end means, the rate that is shared (投递)."""
