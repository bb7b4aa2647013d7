"""The command ``gateway``; also ``python -m gateway``."""

from __future__ import annotations

from gateway.cli.command import command


def main() -> None:
    """Run the command line; ends the process with its exit code."""
    command()


if __name__ == "__main__":
    main()
