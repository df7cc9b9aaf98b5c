"""What a run would ask and cost, from its settings and a few real prompts. No call, no folder.

Calls follow from the loop: who is asked for how many drafts. How many drafts a row takes nobody
knows before the run, so the shares that are assumed stand in the result.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, get_args

from pydantic import Field

from falsereject_gen.dry_prompts import Shown, sample_prompts
from falsereject_gen.models.config import Target
from falsereject_gen.models.structured import strict_schema
from falsereject_gen.models.wire import CHARS_A_TOKEN
from falsereject_gen.records import Record
from falsereject_gen.roles.cast import speakers
from falsereject_gen.roles.spoken.card import AgentCard, load_card
from falsereject_gen.roles.spoken.replies import REPLIES
from falsereject_gen.rooms import Rooms
from falsereject_gen.run.endpoints import one_family, targets
from falsereject_gen.run.store import Store
from falsereject_gen.settings import Role, RunSettings

__all__ = ["SHARES", "Estimate", "estimate"]

SHARES = {"discriminator": 0.75, "pool": 0.8, "orchestrator": 0.9, "dedup": 0.95}
"""Assumed share of drafts that pass each gate; together about half."""
UNDECIDED = 0.25
"""Assumed share of target replies that the rules leave to the refusal judge."""
