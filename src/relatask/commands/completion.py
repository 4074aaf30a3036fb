"""Print the completion of commands and options for a shell: bash, zsh or fish.

Examples:
  relatask completion bash > ~/.local/share/bash-completion/completions/relatask
  relatask completion zsh > ~/.zfunc/_relatask
  relatask completion fish > ~/.config/fish/completions/relatask.fish
"""

import argparse

SHELLS = ("bash", "zsh", "fish")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("shell", choices=SHELLS)


def run(arguments: argparse.Namespace) -> None:
    """Print the script."""
    import shtab

    from relatask.__main__ import command_parsers

    print(shtab.complete(command_parsers(), arguments.shell))
