"""What the commands of `flowml-worker` do."""

from __future__ import annotations

import json
from dataclasses import replace

import typer

from flowml.runner.kinds import parts, size
from flowml.runner.probe import probe
from flowml.runner.settings import read_settings
from flowml.runner.tiers import TIERS, queues_for
from flowml.storage.records import Capabilities

GIB = 2**30


def start_worker(
    redis: str,
    token: str,
    studio: str,
    name: str,
    queues: str,
    slots: int | None,
    cores: int | None,
    max_memory: str,
) -> None:
    from flowml.runner.enlisting import Terms
    from flowml.runner.worker import run_worker

    terms = Terms(name, parts(queues), slots, cores, _bytes(max_memory))
    settings = read_settings()
    settings = replace(
        settings, worker_token=token or settings.worker_token, studio_url=studio or settings.studio_url
    )
    raise typer.Exit(run_worker(settings, redis, terms))


def _bytes(text: str) -> int | None:
    try:
        bytes_ = size(text) if text else None
    except ValueError:
        bytes_ = 0
    if bytes_ == 0:
        raise typer.BadParameter(
            f"{text!r} is no size; expected one such as 500MB or 8GB.", param_hint="--max-memory"
        )
    return bytes_


def show_probe(as_json: bool) -> None:
    found = probe(read_settings().ollama_url)
    if as_json:
        typer.echo(json.dumps({**found.to_dict(), "queues": queues_for(found)}))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 2))
    table.add_column(style="dim")
    for name, text in described(found):
        table.add_row(name, text)
    Console().print(table)


def described(found: Capabilities) -> list[tuple[str, str]]:
    """The probe as lines for people."""
    limits = "" if found.limits in ("", "none") else f", limited by {found.limits}"
    mhz = f", {found.cpu_mhz:,.0f} MHz" if found.cpu_mhz else ""
    lines = [
        ("host", f"{found.hostname}, {found.os}"),
        ("processor", f"{found.cpu_model}{mhz}"),
        ("cores", f"{found.cpus} usable of {found.cores_logical} ({found.cores_physical} physical){limits}"),
        ("memory", f"{found.ram_available / GIB:.1f} GiB free of {found.ram_total / GIB:.1f} GiB"),
    ]
    lines += [("GPU", _gpu(found, index)) for index in range(len(found.gpus))]
    lines += [("driver", f"{found.driver}, CUDA {found.cuda}")] if found.gpus else [("GPU", found.gpu_reason)]
    lines += [(f"  {name}", reason or "trains on the GPU") for name, reason in found.gpu_libraries.items()]
    lines += [
        ("LAN address", found.lan_address or "none"),
        ("Tailscale", found.tailscale_address or "none"),
        ("Ollama", found.ollama or "does not answer"),
        ("Python", found.python),
        (
            "libraries",
            ", ".join(f"{name} {version or 'missing'}" for name, version in found.versions.items()),
        ),
        ("queues", ", ".join(queues_for(found))),
    ]
    return lines


def _gpu(found: Capabilities, index: int) -> str:
    gpu = found.gpus[index]
    memory = f"{gpu.vram_free / GIB:.1f} GiB free of {gpu.vram_total / GIB:.1f} GiB"
    return f"{gpu.name}, {memory}, compute capability {gpu.compute_capability}{', MIG' if gpu.mig else ''}"


def show_queues(as_json: bool) -> None:
    served = queues_for(probe(read_settings().ollama_url))
    if as_json:
        rows = [{"queue": t.queue, "needs": t.needs, "served": t.queue in served} for t in TIERS]
        typer.echo(json.dumps({"queues": rows}))
        return
    for tier in TIERS:
        typer.echo(f"{'yes' if tier.queue in served else '-':<5}{tier.queue:<14}{tier.needs}")
