"""``python -m training``: corpus → model folder → evaluation → card."""

from __future__ import annotations

import json
from pathlib import Path

import click

from training.card import write_card
from training.corpus import DATASETS
from training.evaluate import evaluate
from training.front_page import write_readme
from training.pipeline import RECIPE, load_recipe, train
from training.validate import validate

_MODELS = DATASETS.parent / "src" / "sextortion_detect" / "models"


@click.group(invoke_without_command=True)
@click.option("--name", default="base-1", show_default=True, help="Model name: a folder under --models.")
@click.option("--models", type=click.Path(path_type=Path), default=_MODELS, help="Folder that holds the models.")
@click.option("--recipe", type=click.Path(path_type=Path, exists=True), default=RECIPE, help="A recipe file.")
@click.pass_context
def main(context: click.Context, name: str, models: Path, recipe: Path) -> None:
    """Train, evaluate and describe a model; without a command, all three."""
    context.obj = (models / name, recipe)
    if context.invoked_subcommand is None:
        for step in (train_command, evaluate_command, card_command):
            context.invoke(step)


@main.command("train")
@click.pass_obj
def train_command(obj: tuple[Path, Path]) -> None:
    """Fit, calibrate and export: writes weights.npz and config.json."""
    train(obj[0], load_recipe(obj[1]), lambda line: click.echo(line, err=True))


@main.command("evaluate")
@click.pass_obj
def evaluate_command(obj: tuple[Path, Path]) -> None:
    """Score everything at hand with the exported model: writes evaluation.json."""
    report = evaluate(obj[0], load_recipe(obj[1]))
    (obj[0] / "evaluation.json").write_text(json.dumps(report, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    click.echo(json.dumps(report["headline"], indent=1))


@main.command("card")
@click.pass_obj
def card_command(obj: tuple[Path, Path]) -> None:
    """Write MODEL_CARD.md from config.json and evaluation.json."""
    write_card(obj[0])


@main.command("readme")
@click.pass_obj
def readme_command(obj: tuple[Path, Path]) -> None:
    """Fill docs/README.in.md in with the bundled model's output and figures."""
    write_readme(obj[0])


@main.command("validate")
def validate_command() -> None:
    """Check the corpora: schema, duplicates, family leakage, coverage, ethics rules."""
    problems = validate()
    for problem in problems:
        click.echo(problem)
    click.echo(f"{len(problems)} problems", err=True)
    raise SystemExit(1 if problems else 0)


if __name__ == "__main__":
    main(prog_name="python -m training")
