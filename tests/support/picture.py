"""A picture of what a program printed: `PROGRAM | python -m tests.support.picture FILE TITLE`."""

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

#: rich names a font on the net and itself; a picture in a repository asks nobody.
_REMOTE = re.compile(r"@font-face \{.*?\}|<!--.*?-->", re.DOTALL)


def picture(printed: str, title: str, width: int = 118) -> str:
    """An SVG of a terminal that shows the text, colours included."""
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(printed), crop=False, overflow="fold")
    return _REMOTE.sub("", console.export_svg(title=title)).replace("Fira Code", "monospace")


def main() -> int:
    file, title = sys.argv[1:]
    Path(file).write_text(picture(sys.stdin.read(), title), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
