"""The command ``crosswalk``: finds the subcommand's module when it is asked for, and prints errors as messages.

Belongs here: the list of subcommands and the way a foreseeable error reaches the user. What a subcommand
does is in ``apps/cli/<name>.py``.
"""

import errno
import importlib
import sys

import click

from data_contracts.errors import CrosswalkError

#: Subcommand → what ``crosswalk --help`` says of it. Its module in ``apps.cli`` (``-`` becomes ``_``) is
#: imported only when it is used: neither the help nor another command waits for it.
COMMANDS = {
    "init": "Write a first crosswalk.yaml for your org.",
    "connect": "Sign in to Salesforce and check that it is the right org.",
    "disconnect": "Revoke the token, archive what came from the org.",
    "sync": "Run now: mirror the org, resolve, publish.",
    "status": "Show the last runs and what they did.",
    "explain": "Say why a record is linked, why not to another, and who else it could be.",
    "approve": "Let the next run change the links that stopped one, or list what waits.",
    "review": "Serve the page on which people decide which record is which entity.",
    "users": "Show and correct which of the organisation's own users a CRM user is.",
    "decisions": "Bring decisions in or out as CSV.",
    "reimport": "Import one record, one object or everything again, changed or not.",
    "proposals": "Bring proposals of missing entities out, as CSV or Parquet.",
    "preflight": "Check connection, permissions and fields.",
    "fields": "List the fields of an object, for the mapping.",
    "mapping": "Check the field mappings; try one on a real record.",
    "settings": "Check the settings; try other thresholds.",
    "selection": "Try an object's selection against the org: how many records, what is wrong.",
    "check": "Check the settings; the same as settings check.",
    "clear": "Remove an object's matches from the local warehouse; Salesforce is never touched.",
    "dictionary": "Print every published table and column with its meaning.",
    "rollback": "Let analysts read an earlier snapshot again, or list those kept.",
    "export": "Write what is published as Parquet files.",
    "forget": "Erase a person from everything kept here, and prove it.",
    "demo-org": "Serve a local Salesforce.",
}

#: What a machine refuses and its owner can mend; any other is a defect of ours and shows where.
_OF_THE_MACHINE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)


class _LazyGroup(click.Group):
    """A group whose subcommands are imported on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the documentation."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a subcommand; None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module_name = cmd_name.replace("-", "_")
        try:
            module = importlib.import_module(f"apps.cli.{module_name}")
        except ModuleNotFoundError as error:
            if error.name != f"apps.cli.{module_name}":
                raise
            return None
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of subcommands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="crosswalk")
def cli() -> None:
    """Keep account identity grounded in Salesforce."""


def main() -> None:
    """Run the command line; a foreseeable error is a message and exit code 1, or the error's own."""
    try:
        cli()
    except CrosswalkError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        if error.errno not in _OF_THE_MACHINE:
            raise
        file = f" {error.filename}" if error.filename else " a file"
        click.echo(
            f"Error: cannot use{file}: {error.strerror}\n"
            "Why: the disk is full or read-only, or this user may not\n"
            "Next: free space or correct the folder's owner, then run the command again",
            err=True,
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
