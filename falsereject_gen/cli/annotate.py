"""`falsereject-gen annotate`: batches out to people, their answers back, and what comes of them."""

import typer

from falsereject_gen.cli.annotate_agreement import agreement
from falsereject_gen.cli.annotate_export import export
from falsereject_gen.cli.annotate_import import import_
from falsereject_gen.cli.annotate_publish import adjudicate, publish
from falsereject_gen.cli.annotate_serve import serve

__all__ = ["app"]

app = typer.Typer(help="Annotation by people, from batch to split.", no_args_is_help=True)
app.command("export")(export)
app.command("import")(import_)
app.command("agreement")(agreement)
app.command("adjudicate")(adjudicate)
app.command("publish")(publish)
app.command("serve")(serve)
