"""Code tables of the union platform (union page §6), as sets of the values that may come in."""

ID_TYPE = frozenset({"1", "2", "3", "4", "5", "6", "9"})  # 证件类型 zjlx
SEX = frozenset({"男", "女"})  # 性别 xb
CAUSE_CLASS = frozenset("123456789")  # 类别 lb
CLAIM = frozenset({*(f"{number:02}" for number in range(1, 15)), "99"})  # 请求类型 lx
ORGANIZATION_TYPE = frozenset("123456789")  # 组织类型 zzlx
CHANNEL = frozenset("12345")  # 来源 ly
CASE_STATUS = frozenset({*(f"{number:02}" for number in range(1, 12)), "99"})  # 状态 zt, of a case
FULFILMENT = frozenset({"51", "52", "53", "54"})  # 状态 zt, of the performance (履行)
SUPPORT_STATUS = frozenset({"71", "72"})  # 状态 zt, of a support request
END_REASON = frozenset(f"{number:02}" for number in range(1, 9))  # 原因 yy, yyd
SUPPORT_REASON = frozenset({"01", "02", "03", "99"})  # 原因 yy of `support`
ALERT_LEVEL = frozenset("123")  # 等级 dj
SIZE = frozenset("1234")  # 规模 gm
AGENT = frozenset("12345")  # 代理人类型 dlx
SETTLED = frozenset("12")  # 协议结果 jg
ANSWER = frozenset("12")  # 答复 df
OUTCOME = frozenset("123")  # 结果 jg
FLAG = frozenset("01")  # 重大 zd

REFUSALS = frozenset({"L1", "L2", "L3", "L4", "L5", "L6", "P1", "T1"})
"""Codes of §5 that an item is refused with."""
