"""What each kind of document changes: pure functions from the document and what is known to a ``Decision``.

They raise ``Refused`` where the law or the order of the chain forbids it, with every finding at once.
"""
