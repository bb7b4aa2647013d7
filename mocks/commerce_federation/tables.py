"""The exchange tables (page §2) and what stands in ``TJ_DICT`` (page §7)."""

from __future__ import annotations

from typing import Final

TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS TJ_OUT (
  OUT_ID        VARCHAR(64)  NOT NULL PRIMARY KEY,
  BIZ_TYPE      CHAR(2)      NOT NULL CHECK (BIZ_TYPE IN ('01','02','03','04')),
  OPERATE_TYPE  INTEGER      NOT NULL CHECK (OPERATE_TYPE IN (1,2,3)),
  CASE_KEY      VARCHAR(100) NOT NULL,
  SEQ_NO        INTEGER      NOT NULL,
  ORG_CODE      VARCHAR(32)  NOT NULL,
  NR            TEXT         NOT NULL,
  FILE_COUNT    INTEGER      NOT NULL DEFAULT 0,
  DIGEST        CHAR(64)     NOT NULL,
  CREATED_AT    CHAR(19)     NOT NULL,
  UPLOAD_STATUS INTEGER      NOT NULL DEFAULT 0 CHECK (UPLOAD_STATUS IN (0,1,2,3)),
  RESEND_COUNT  INTEGER      NOT NULL DEFAULT 0,
  BATCH_NO      VARCHAR(32), TAKEN_AT CHAR(19), DONE_AT CHAR(19),
  PLAT_NO       VARCHAR(32), FAIL_CODE CHAR(3), FAIL_REASON VARCHAR(200),
  UNIQUE (CASE_KEY, SEQ_NO)
)""",
    "CREATE INDEX IF NOT EXISTS TJ_OUT_NEW ON TJ_OUT (UPLOAD_STATUS, CREATED_AT)",
    """CREATE TABLE IF NOT EXISTS TJ_FILE (
  OUT_ID VARCHAR(64) NOT NULL, FILE_NO INTEGER NOT NULL, CHUNK_NO INTEGER NOT NULL,
  CHUNK_COUNT INTEGER NOT NULL, FILE_KIND CHAR(2) NOT NULL, FILE_NAME VARCHAR(100) NOT NULL,
  FILE_SIZE INTEGER NOT NULL, FILE_SM3 CHAR(64) NOT NULL,
  CHUNK_SM3 CHAR(64) NOT NULL, CHUNK TEXT NOT NULL,
  PRIMARY KEY (OUT_ID, FILE_NO, CHUNK_NO)
)""",
    """CREATE TABLE IF NOT EXISTS TJ_IN (
  IN_ID INTEGER NOT NULL PRIMARY KEY, KIND CHAR(2) NOT NULL, OUT_ID VARCHAR(64), CASE_KEY VARCHAR(100) NOT NULL,
  PLAT_NO VARCHAR(32), ZT VARCHAR(4), FAIL_CODE CHAR(3), REASON VARCHAR(200), HAPPENED_AT CHAR(19) NOT NULL,
  DIGEST CHAR(64) NOT NULL, CREATED_AT CHAR(19) NOT NULL,
  READ_STATUS INTEGER NOT NULL DEFAULT 0 CHECK (READ_STATUS IN (0,1,2,3)), READ_AT CHAR(19), READ_NOTE VARCHAR(200)
)""",
    "CREATE INDEX IF NOT EXISTS TJ_IN_NEW ON TJ_IN (READ_STATUS, IN_ID)",
    """CREATE TABLE IF NOT EXISTS TJ_HEART (NODE VARCHAR(16) NOT NULL PRIMARY KEY, BEAT_AT CHAR(19) NOT NULL,
  PERIOD_S INTEGER NOT NULL, STATE VARCHAR(8) NOT NULL CHECK (STATE IN ('RUN','MAINT')), UNTIL_AT CHAR(19))""",
    """CREATE TABLE IF NOT EXISTS TJ_DICT (DICT_TYPE VARCHAR(16) NOT NULL, CODE VARCHAR(16) NOT NULL,
  NAME VARCHAR(100) NOT NULL, VALID CHAR(1) NOT NULL DEFAULT '1', PRIMARY KEY (DICT_TYPE, CODE))""",
)

#: The heart of the gateway: its account may beat it and make none, so it stands from the beginning.
GATEWAY: Final = "GATEWAY"
GATEWAY_PERIOD_S: Final = 60

_ALL: Final = "TJ_OUT, TJ_FILE, TJ_IN, TJ_HEART, TJ_DICT"
#: What the account ``{account}`` of the gateway may do (page §1), and nothing else. Of ``TJ_HEART`` one row is its own.
RIGHTS: Final = (
    'GRANT USAGE ON SCHEMA "{schema}" TO "{account}"',
    f'REVOKE ALL ON {_ALL} FROM "{{account}}"',
    f'GRANT SELECT ON {_ALL} TO "{{account}}"',
    'GRANT INSERT ON TJ_OUT, TJ_FILE TO "{account}"',
    'GRANT UPDATE (UPLOAD_STATUS, RESEND_COUNT, FAIL_CODE, FAIL_REASON, DONE_AT) ON TJ_OUT TO "{account}"',
    'GRANT UPDATE (READ_STATUS, READ_AT, READ_NOTE) ON TJ_IN TO "{account}"',
    'GRANT UPDATE ON TJ_HEART TO "{account}"',
    "ALTER TABLE TJ_HEART ENABLE ROW LEVEL SECURITY",
    "DROP POLICY IF EXISTS TJ_HEART_SEEN ON TJ_HEART",
    "CREATE POLICY TJ_HEART_SEEN ON TJ_HEART FOR SELECT USING (true)",
    "DROP POLICY IF EXISTS TJ_HEART_OWN ON TJ_HEART",
    f"CREATE POLICY TJ_HEART_OWN ON TJ_HEART FOR UPDATE USING (NODE = '{GATEWAY}')",
)


def _numbered(first: int, digits: int, *names: str) -> dict[str, str]:
    return {f"{number:0{digits}d}": name for number, name in enumerate(names, first)}


def _placed(number: int, name: str, *places: str) -> dict[str, str]:
    return {str(number): name} | {f"{number}-{place}": title for place, title in enumerate(places, 1)}


#: DICT_TYPE → code → name. The names of D1 and D4 follow the order that the page gives.
DICTIONARY: Final[dict[str, dict[str, str]]] = {
    "TWHLX": _numbered(
        1,
        2,
        "企业劳动争议调解委员会",
        "乡镇（街道）劳动争议调解组织",
        "仲裁院调解中心",
        "商会调解组织",
        "企业联合会调解组织",
        "新就业形态一站式调解中心",
        "企业联盟调解组织",
        "小微企业联络站",
        "工会协商室",
        "人民调解委员会",
    ),
    "AJLY": _numbered(1, 1, "窗口", "电话", "网站", "手机应用", "小程序", "公众号", "移交"),
    "AY": (
        _placed(
            205,
            "劳动合同纠纷",
            "确认劳动关系",
            "集体合同",
            "劳务派遣合同",
            "非全日制用工",
            "追索劳动报酬",
            "经济补偿金",
            "竞业限制",
        )
        | _placed(206, "社会保险纠纷", *(f"{kind}保险待遇" for kind in ("养老", "工伤", "医疗", "生育", "失业")))
        | _placed(207, "福利待遇")
        | _placed(208, "超龄劳动者用工")
        | _placed(209, "用工主体责任")
        | _placed(210, "聘用合同")
        | _placed(211, "聘任合同")
        | _placed(212, "辞职")
        | _placed(213, "辞退")
        | _placed(214, "新就业形态用工合同", "新就业形态确认劳动关系", "新就业形态追索劳动报酬")
        | _placed(215, "新就业形态社会保险", "新就业形态工伤保险待遇")
        | _placed(216, "新就业形态职业伤害保障")
    ),
    "QQLX": _numbered(
        1,
        2,
        "劳动报酬",
        "加班工资",
        "工伤医疗费",
        "经济补偿",
        "赔偿金",
        "社会保险",
        "订立合同",
        "变更合同",
        "解除终止合同",
        "确认劳动关系",
        "工作时间",
        "福利",
        "培训",
        "劳动保护",
        "其他",
    ),
    "ZJLX": {
        "1": "居民身份证",
        "2": "护照",
        "3": "台湾居民来往大陆通行证",
        "4": "港澳居民来往内地通行证",
        "7": "统一社会信用代码",
        "255": "其他",
    },
    "ZT": {
        "1": "已登记",
        "2": "已受理",
        "10": "不予受理",
        "7": "待补正",
        "5": "调解中",
        "6": "调解结束",
        "8": "转诉讼",
        "11": "转仲裁或其他",
        "99": "已办结",
    },
    "JSYY": _numbered(
        1,
        1,
        "达成协议",
        "自行和解撤回",
        "无法联系",
        "不愿调解",
        "分歧较大",
        "期限届满",
        "拒绝签字",
        "其他",
    ),
    "FJLX": {
        "01": "调解申请书",
        "02": "调解协议书",
        "03": "调解笔录",
        "04": "身份资格证明",
        "05": "送达地址确认书",
        "99": "其他",
    },
}

#: How the bytes of a file that may come begin: PDF, OFD (a zip), JPEG, PNG.
MEDIA: Final = (b"%PDF-", b"PK\x03\x04", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
