"""The command line's own words in both languages: the heads of a help page, and what is wrong with a command."""

from __future__ import annotations

from typing import Final

from rich.markup import escape
from typer import rich_utils

from gateway.cli.exits import err

_WRONG: Final = {
    "NoSuchOption": "没有这个选项",
    "NoSuchCommand": "没有这个命令",
    "MissingParameter": "缺少必填的参数或选项",
    "BadParameter": "参数或选项的值不合要求",
    "BadOptionUsage": "选项的用法不对，或缺少它的值",
    "BadArgumentUsage": "参数的用法不对",
    "UsageError": "命令写法不对",
}
"""The library's errors by the names of their classes: which of them there are is no public matter of it."""


def speak_both_languages() -> None:
    """Help pages and usage errors begin in Chinese. What the library says itself, in English, comes after it."""
    rich_utils.ARGUMENTS_PANEL_TITLE = "参数 arguments"
    rich_utils.OPTIONS_PANEL_TITLE = "选项 options"
    rich_utils.COMMANDS_PANEL_TITLE = "命令 commands"
    rich_utils.ERRORS_PANEL_TITLE = "用法错误 usage"
    rich_utils.DEFAULT_STRING = "[缺省 default: {}]"
    rich_utils.ENVVAR_STRING = "[环境变量 env: {}]"
    rich_utils.REQUIRED_LONG_STRING = "[必填 required]"
    rich_utils.RICH_HELP = "用法和示例见 how it is written: [blue]{command_path} {help_option}[/]"
    theirs = rich_utils.rich_format_error

    def told(error: Exception) -> None:
        names = (_WRONG.get(kind.__name__) for kind in type(error).__mro__)
        said = next((name for name in names if name is not None), None)
        if said is not None and type(error).__name__ != "NoArgsIsHelpError":
            err.print(escape(said))
        theirs(error)  # type: ignore[arg-type]  # the library hands over its own errors alone

    rich_utils.rich_format_error = told  # type: ignore[assignment]  # its one argument has another name
