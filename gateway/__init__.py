"""The post office: takes canonical documents in, keeps them, hands them to interpreters, and brings every answer back."""
