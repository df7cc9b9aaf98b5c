"""`falsereject-gen scripted-server`: a stand-in for a model endpoint, on this machine only."""

from typing import Annotated

import typer

from falsereject_gen.cli.options import say

__all__ = ["scripted_server"]


def scripted_server(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 for a free one.")] = 8099,
    latency: Annotated[float, typer.Option(help="Seconds to a reply.")] = 0.0,
    faults: Annotated[str, typer.Option(help="name=probability,… as in 429=0.1,500=0.05")] = "",
    seed: Annotated[int, typer.Option(help="Decides which requests meet which fault.")] = 0,
    rps: Annotated[float, typer.Option(help="Requests a second let through; 0: no limit.")] = 0.0,
    host: Annotated[str, typer.Option(help="A loopback address.")] = "127.0.0.1",
    no_schema: Annotated[bool, typer.Option("--no-schema", help="400 to json_schema.")] = False,
    no_json_mode: Annotated[
        bool, typer.Option("--no-json-mode", help="400 to json_object and json_schema.")
    ] = False,
    no_temperature: Annotated[
        bool, typer.Option("--no-temperature", help="400 to a temperature.")
    ] = False,
    max_completion_tokens_only: Annotated[
        bool, typer.Option("--max-completion-tokens-only", help="400 to max_tokens.")
    ] = False,
) -> None:
    """Serve an OpenAI-compatible API that plays every role by rules, with faults if wanted."""
    from falsereject_gen.models.scripted_server import (  # noqa: PLC0415 - starts in no time
        ServerSettings,
        run_until_interrupted,
    )

    settings = ServerSettings(
        latency=latency,
        faults=faults,
        seed=seed,
        rps=rps,
        host=host,
        no_schema=no_schema,
        no_json_mode=no_json_mode,
        no_temperature=no_temperature,
        max_completion_tokens_only=max_completion_tokens_only,
    )

    def ready(url: str) -> None:
        say(f"a scripted model answers at {url}; Ctrl-C ends it")
        say(f"  counters  {url.removesuffix('/v1')}/stats")
        typer.echo(url)

    run_until_interrupted(settings, port, ready)
