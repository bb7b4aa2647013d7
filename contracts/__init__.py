"""The law of the house: what a case is and what an adapter owes the gateway. Pure: no I/O but its packaged data.

Values and lists (``values``, ``lists``, ``status``, ``identifiers``, ``causes``, ``regions``) carry the documents
(``case``, ``agreement``, ``confirmation``, ``transfer``, ``referral`` …); ``intake`` reads bytes as one of them,
``findings`` says what is wrong with it. ``messages``, ``events``, ``deadlines`` are what becomes of it; ``adapter``
is the port to the platforms, made of ``http``, ``wire``, ``update``, ``holdings`` and ``errors``.
"""
