"""The forms of the answers (应答的形式), each declared once: what the description of the API tells of them, and what types a
generated client.

No answer is made by them: the rooms beside this one make plain values and dump them. A test holds real answers of every call
against them, with nothing left over.
"""
