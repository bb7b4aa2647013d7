"""Lines and pages: nothing is lost, nothing stands outside the page, signs stand where they may."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.flow.printing.blocks import A4, Block, Layout, Look
from gateway.flow.printing.setting import pages

NEVER_FIRST = "，。、；：？！）》】"


def measure(look: Look, text: str) -> float:
    """Full width for Chinese, half for the rest."""
    return sum(1.0 if ord(sign) > 0x2000 else 0.5 for sign in text) * look.size


def layout(*texts: str, look: Look | None = None) -> Layout:
    return Layout("标题", A4, tuple(Block(tuple(text.split("\n")), look or Look(first=32.0)) for text in texts))


WORDS = st.sampled_from(
    ["甲乙丙丁", "，", "。：；", "（", "）", "《", "》", "〔", "〕", " ", "ab", "12.", "-\n", "9" * 50]
)
TEXTS = st.lists(st.lists(WORDS, max_size=90).map("".join), max_size=6)


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_every_character_is_set_inside_the_page(texts: list[str]) -> None:
    made = pages(layout(*texts), measure)
    lines = [line for page in made for line in page]
    seen = "".join(line.text for line in lines).replace(" ", "")
    assert seen == "".join(texts).replace("\n", "").replace(" ", "")
    for line in lines:
        wide = measure(line.look, line.text) + line.gap * max(len(line.text) - 1, 0)
        assert A4.left - 0.01 <= line.x
        assert line.x + wide <= A4.width - A4.right + 0.1
        assert A4.top <= line.y <= A4.height - A4.bottom
    for page in made:
        assert [line.y for line in page] == sorted(line.y for line in page)


def test_a_line_begins_with_no_mark_and_ends_with_no_opening_one() -> None:
    text = "经调解双方当事人自愿达成如下协议并且当场履行完毕，（无其他争议）。" * 40
    (first, *rest) = [line.text for page in pages(layout(text), measure) for line in page]
    assert len(rest) > 40
    assert all(line[0] not in NEVER_FIRST for line in rest)
    assert all(line[-1] not in "（《〔【" for line in [first, *rest])


def test_a_number_is_not_torn_apart_unless_it_is_longer_than_a_line() -> None:
    text = "公民身份号码：370102199003071238，统一社会信用代码：91370102MA0DEM013R，" * 6
    lines = [line.text for page in pages(layout(text), measure) for line in page]
    assert sum(line.count("370102199003071238") for line in lines) == 6
    assert sum(line.count("91370102MA0DEM013R") for line in lines) == 6
    endless = [line.text for page in pages(layout("9" * 500), measure) for line in page]
    assert "".join(endless) == "9" * 500


def test_full_lines_are_flush_and_the_last_is_not() -> None:
    (page,) = pages(layout("甲" * 20 + "A" + "乙" * 20), measure)
    assert page[0].gap > 0
    assert page[-1].gap == 0


def test_a_heading_goes_to_the_next_page_with_what_it_is_about() -> None:
    heading = Look(keep=True)
    for filled in range(15, 25):
        blocks = [Block(("正文",), Look())] * filled + [Block(("小标题",), heading), Block(("其内容",), Look())]
        for page in pages(Layout("标题", A4, tuple(blocks)), measure):
            assert not page or page[-1].text != "小标题"


def test_signs_and_empty_texts_end_too() -> None:
    assert len(pages(layout("，" * 5000), measure)) > 1
    assert pages(layout(), measure) == [()]
    assert [line.text for line in pages(layout(""), measure)[0]] == [""]
