"""``crosswalk dictionary``: the data dictionary, made from the contracts."""

from pathlib import Path

import click

from data_contracts.dictionary import dictionary_page


@click.command(name="dictionary")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write; standard output unless given."
)
def command(out: Path | None) -> None:
    """Print every published table and column with its meaning, as a page of Markdown."""
    page = dictionary_page()
    if out is None:
        click.echo(page, nl=False)
        return
    out.write_text(page, encoding="utf-8")
    click.echo(f"{out}: {len(page.splitlines()):,} lines")
