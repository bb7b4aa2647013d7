"""The same job done by what a user might pick instead: take a case over HTTP, keep it durably, deliver it with retries.

Each is the simplest program its own documentation teaches, in a virtual environment of its own (``requirements.txt``). None of
them keeps a case to be read, an attempt, an order or a deadline: they get the easier half of the job.
"""
