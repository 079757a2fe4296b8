"""Write the documents of the contract into a directory (docs/ by default)."""

import sys
from pathlib import Path

from consumer.codec.documents.files import write


def main(arguments: list[str]) -> None:
    """Write the documents below the folder that is named, or docs/; say which."""
    target = Path(arguments[0]) if arguments else Path("docs")
    for path in write(target):
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
