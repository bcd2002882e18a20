"""The command ``crosswalk``: finds the subcommand's module when it is asked for, and prints errors as messages.

Belongs here: the list of subcommands and the way a foreseeable error reaches the user. What a subcommand
does is in ``apps/cli/<name>.py``.
"""

import importlib
import sys

import click

from data_contracts.errors import CrosswalkError

#: Subcommand → module of ``apps.cli``, imported only when used: start-up stays fast.
COMMANDS = {
    name: name.replace("-", "_")
    for name in ("init", "sync", "status", "explain", "preflight", "fields", "settings", "check", "clear", "demo-org")
}


class _LazyGroup(click.Group):
    """A group whose subcommands are imported on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the documentation."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a subcommand; None if there is none of that name."""
        module_name = COMMANDS.get(cmd_name)
        if module_name is None:
            return None
        try:
            module = importlib.import_module(f"apps.cli.{module_name}")
        except ModuleNotFoundError as error:
            if error.name != f"apps.cli.{module_name}":
                raise
            return None
        command = module.command
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="crosswalk")
def cli() -> None:
    """Keep account identity grounded in Salesforce."""


def main() -> None:
    """Run the command line; a foreseeable error is a message and exit code 1."""
    try:
        cli()
    except CrosswalkError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
