"""The main job, end to end: a run folder with the store, the dataset, a batch and the report.

The command line and the Python API both come through here.
"""

import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from falsereject_gen.annotate.batch import write_batch
from falsereject_gen.dataset.card import dataset_card
from falsereject_gen.dataset.export import write_dataset, write_rejected
from falsereject_gen.dataset.rows import to_row
from falsereject_gen.dataset.table import Gathered
from falsereject_gen.entities.extraction import write_extraction
from falsereject_gen.entities.graph import write_graph
from falsereject_gen.errors import EndpointError, Stopped, StoreError
from falsereject_gen.models.desk import Models
from falsereject_gen.records import Candidate
from falsereject_gen.report.page import write_report
from falsereject_gen.rooms import Rooms
from falsereject_gen.run.account import Account
from falsereject_gen.run.endpoints import check_keys, one_family, open_run, settle, spent, width
from falsereject_gen.run.engine import Engine
from falsereject_gen.run.manifest import manifest, write_json
from falsereject_gen.run.notes import notes
from falsereject_gen.run.result import RunResult
from falsereject_gen.run.resume import changed_since, finished, remember
from falsereject_gen.run.sitting import Sitting
from falsereject_gen.run.store import Store
from falsereject_gen.run.stored import StoredCandidates
from falsereject_gen.run.world import Extract, World, prepare
from falsereject_gen.settings import RunSettings

__all__ = ["Watcher", "run"]


class Watcher:
    """Told what a run is doing; does nothing. The command line has one with a progress bar."""

    def say(self, what: str) -> None:
        """A stage begins."""

    def warn(self, what: str) -> None:
        """Something that the user should know; it is in the manifest too."""

    def attend(self, models: Models) -> None:
        """The endpoints of the run, to be asked how they are doing and what was spent."""

    def extracted(self, done: int, total: int) -> None:
        """So many seeds have been taken apart by a spoken extractor."""

    def begin(self, done: int, target: int) -> None:
        """Generation begins, with `done` rows from an earlier sitting."""

    def stopping(self) -> None:
        """The user wants to stop; calls under way are waited for."""

    def committed(self, candidate: Candidate) -> None:
        """A candidate has been decided."""


def run(
    settings: RunSettings,
    out: Path | str,
    *,
    resume: bool = False,
    rooms: Rooms | None = None,
    watcher: Watcher | None = None,
) -> RunResult:
    """Generate a dataset into a run folder.

    Args:
        settings: as resolved by `load_settings`.
        out: the run folder; made if need be.
        resume: go on behind what the folder's store holds, or raise its target.
        rooms: assets; the packaged ones by default.
        watcher: told of progress.

    Returns:
        The rows, the rejected candidates, and why the target was missed if it was.

    Raises:
        StoreError: the folder cannot be written or holds another run.
        InputError: seeds, taxonomy or references cannot be used.
        UsageError: an endpoint that a role needs is not there, or its key is not set.
        EndpointError: an endpoint cannot answer; resumable when that is mended.
        Stopped: interrupted, or a budget is spent; resumable.
    """
    started = time.monotonic()
    folder, rooms, watcher = Path(out), rooms or Rooms(), watcher or Watcher()
    check_keys(settings, rooms)
    warnings = one_family(settings, rooms)
    store = _open(folder, resume)
    models = None
    try:
        models = _attended(settings, rooms, store, watcher, warnings)
        with Sitting(models) as sitting:
            ahead = _ahead(settings, rooms, store, (models, sitting), watcher)
            world = prepare(settings, rooms, models, watcher.say, ahead)
            warnings += _told(notes(world), watcher)
            warnings += _changes(store, settings, rooms, watcher) if resume else []
            remember(store, settings, rooms)
            engine = _engine(world, store, models, watcher)
            store.event("resumed" if resume else "started")
            begun = time.monotonic()
            sitting.run(partial(_drive, engine, folder))
        del engine  # its index of all rows, before their files are made
        times = (time.monotonic() - begun, time.monotonic() - started)
        watcher.say("writing dataset and report")
        return _finish(
            world, store, folder, times, {**spent(models, store.path), "warnings": tuple(warnings)}
        )
    except OSError as fault:
        raise StoreError(
            f"{folder}: not written: {fault.strerror or fault}. The store is whole; "
            f"make room and go on with: falsereject-gen run --resume {folder}"
        ) from None
    finally:
        if models is not None:
            models.abandon()
        store.close()


def _attended(
    settings: RunSettings, rooms: Rooms, store: Store, watcher: Watcher, warnings: list[str]
) -> Models:
    """The run's endpoints, with somebody watching."""
    for line in warnings:
        watcher.warn(line)
    models = open_run(settings, rooms, store.path)
    watcher.attend(models)
    return models


def _ahead(
    settings: RunSettings, rooms: Rooms, store: Store, asked: tuple[Models, Sitting], watch: Watcher
) -> Extract | None:
    """Who takes the seeds apart, if it is a spoken extractor."""
    if settings.extractor != "spoken":
        return None
    from falsereject_gen.run.ahead import Ahead  # noqa: PLC0415 - loads the spoken roles

    return Ahead(settings, rooms, store, *asked, watch)


def _changes(store: Store, settings: RunSettings, rooms: Rooms, watcher: Watcher) -> list[str]:
    """What is not as it was in the run that goes on, told and kept for the manifest."""
    return _told(changed_since(store, settings, rooms), watcher)


def _told(lines: list[str], watcher: Watcher) -> list[str]:
    """The same lines, told to whoever watches."""
    for line in lines:
        watcher.warn(line)
    return lines


def _engine(world: World, store: Store, models: Models, watcher: Watcher) -> Engine:
    """The engine, standing behind what the store holds, and told to the watcher."""
    engine = Engine(
        world,
        store,
        on_commit=watcher.committed,
        on_stop=watcher.stopping,
        settle=lambda: settle(models),
        width=width(world.settings),
    )
    engine.replay()
    watcher.begin(engine.accepted, engine.target)
    return engine


async def _drive(engine: Engine, folder: Path) -> None:
    """Drive the engine to its end; whatever ends it early becomes one line and an event."""
    kept = "{} of {} rows are kept, nothing is lost: falsereject-gen run --resume {}"
    try:
        await engine.drive()
        if engine.stopping:
            raise Stopped("stopped by the user")
    except (Stopped, EndpointError) as fault:
        engine.store.event(f"ended early: {fault}")
        so_far = kept.format(engine.accepted, engine.target, folder)
        raise type(fault)(f"{fault}; {so_far}") from None


def _open(folder: Path, resume: bool) -> Store:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise StoreError(f"{folder}: cannot be made: {fault.strerror or fault}") from None
    store = Store(folder / "run.sqlite")
    if not resume and store.get("settings") is not None:  # none: it ended before it began
        store.close()
        raise StoreError(
            f"{folder}: holds a run already; go on with --resume {folder}, or choose another --out"
        )
    return store


def _finish(
    world: World, store: Store, folder: Path, times: tuple[float, float], more: dict[str, Any]
) -> RunResult:
    """Write everything a run leaves behind, from the store; no candidate is kept on the way."""
    settings = world.settings
    account, parts = Account(), Gathered()
    rejected = _sorted_out(world, store, account, parts)
    write_rejected(rejected, folder / "rejected.jsonl", settings.output.redact_unsafe)
    rows, fell = parts.rows(), StoredCandidates(store.path, "rejected")
    result = RunResult(
        out=folder,
        run_id=world.run_id,
        target=settings.target,
        rows=rows,
        rejected=fell,
        wall_s=times[1],
        generation_s=times[0],
        why_short="" if len(rows) == settings.target else _why_short(world, store),
        **more,
    )
    card = dataset_card(
        rows,
        fell,
        seeds=world.seeds,
        graphs=world.graphs,
        taxonomy=world.taxonomy,
        settings=settings,
        run_id=world.run_id,
        why_short=result.why_short,
    )
    write_dataset(rows, folder / "dataset", test_share=settings.output.test_share, card=card)
    write_graph(world.graph, folder / "graph")
    write_extraction(folder / "graph", settings.extractor, world.graphs, world.unextracted)
    if rows:
        size = settings.output.batch_size
        place, how = folder / "annotation" / "batch-1", settings.annotation
        write_batch(rows, place, size=size, rng=settings.seed, rooms=world.rooms, annotation=how)
    write_json(folder / "manifest.json", manifest(world, result, account))
    write_report(folder)
    finished(store, settings, result.summary())
    return result


def _sorted_out(
    world: World, store: Store, account: Account, parts: Gathered
) -> Iterator[Candidate]:
    """The rejected candidates; on the way to them, rows are gathered and all are counted."""
    for candidate in store.told():
        account.add(candidate)
        if candidate.status == "accepted":
            parts.add(to_row(candidate, world.taxonomy, world.cast.name, world.run_id))
        else:
            yield candidate


def _why_short(world: World, store: Store) -> str:
    """Why a run has fewer rows than were asked for."""
    stages: Counter[str] = Counter()
    for stage, _, count in store.ends("rejected"):
        stages[stage] += count
    fell = ", ".join(f"{count} at {stage}" for stage, count in stages.most_common())
    planner, patience = world.planner, world.settings.loop.patience
    over = [
        (len(planner.closed), f"given up after {patience} briefs in a row without a row"),
        (len(planner.drawn_out), "had nothing left to draw a brief from"),
        (len(world.settings.sampling.quotas), "had a quota"),
    ]
    why = ", ".join(f"{count} {what}" for count, what in over if count)
    return (
        f"nothing new can be written in {len(planner.categories)} categories: {why or 'none open'} "
        f"(rejected: {fell or 'none'}). More seeds, more readings or a spoken cast would help."
    )
