"""What the union must never see: unmasked identity numbers, bank accounts, birth dates (union page §4, §8.3)."""

import re
from collections.abc import Iterable

NUMBER = re.compile(r"[0-9０-９](?:[ \-－　]?[0-9０-９]){13,18}[XxＸｘ]?")
"""A run of 14 to 19 digits as §4 defines it."""

_SEPARATORS = " -－　"
_KEPT = r"[^*０-９Ｘｘ]"
_MASKED = re.compile(rf"\*{{1,5}}|{_KEPT}{{3}}\*+{_KEPT}{{2}}")
_MASKED_RESIDENT = re.compile(r"[0-9]{3}\*+[0-9][0-9X]")
_EXCEPTED = frozenset(
    {"ajbh", "xlh", "xydm", "jgdm", "yjbh", "sqbh", "xybh", "je"}
    | {"sqsj", "slsj", "sj", "kssj", "jssj", "sxsj", "rq"}  # times and dates
)
_BANK = frozenset(
    {"zh", "yhzh", "zhhm", "zhmc", "zhanghao", "khh", "khyh", "kaihuhang", "yh", "yhk", "yhkh", "kh", "yhmc"}
    | {"skr", "skrzh", "skzh", "hm", "bank", "bankname", "account", "accountno", "accountname", "cardno", "payee"}
)


def unmasked_number(text: str) -> bool:
    """Whether the text holds a number of §4 that was not masked.

    The two characters that a mask keeps at its end may touch digits that follow it; they begin no number of their own.
    """
    position = 0
    while (match := NUMBER.search(text, position)) is not None:
        start = match.start()
        if text[start - 1 : start] == "*":
            position = start + 2
        elif text[start - 2 : start - 1] == "*" and text[start - 1] in _SEPARATORS:
            position = start + 1
        else:
            return True
    return False


def is_masked(number: str, id_type: str | None) -> bool:
    """Whether an identity number (证件号码) has the mask's form: first 3, stars, last 2; up to 5 characters all stars.

    ``id_type`` is the code of ``zjlx``: a resident id (``1``) keeps digits alone, its check character ``X`` a capital.
    """
    form = _MASKED_RESIDENT if id_type == "1" and len(number) > 5 else _MASKED
    return form.fullmatch(number) is not None


def breaches(fields: Iterable[tuple[str, str]]) -> list[str]:
    """The paths of all fields of one item that break the privacy rule; never a value."""
    values = dict(fields)
    found: list[str] = []
    for path, value in values.items():
        row, _, leaf = path.rpartition(".")
        name = leaf.lower().replace("_", "")
        if name == "csrq" or name in _BANK:
            found.append(path)
        elif leaf == "zjhm":
            if not is_masked(value, values.get(f"{row}.zjlx")):
                found.append(path)
        elif leaf not in _EXCEPTED and unmasked_number(value):
            found.append(path)
    return found
