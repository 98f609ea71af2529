"""The workflow files, which run elsewhere, against what they call here."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CI, RELEASE = (ROOT / ".github" / "workflows" / name for name in ("ci.yml", "release.yml"))


def jobs(path: Path) -> dict[str, Any]:
    """The jobs of a workflow."""
    read: dict[str, Any] = yaml.safe_load(path.read_text())["jobs"]
    return read


def test_ci_runs_every_step_and_every_python() -> None:
    """The matrix names every step that `.ci/run` has, and each Python of the classifiers."""
    has = set(re.findall(r"^#   (\w+) ", (ROOT / ".ci" / "run").read_text(), re.MULTILINE))
    matrix = jobs(CI)["steps"]["strategy"]["matrix"]["include"]
    # Each newer Python is a job of its own there.
    assert {step for job in matrix for step in job["steps"].split()} == has - {"newer"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {line.rpartition(" ")[2] for line in project["classifiers"] if ":: 3." in line}
    assert {job["python"] for job in matrix} == named


@pytest.mark.parametrize("path", [CI, RELEASE], ids=lambda path: path.stem)
def test_workflows_have_no_more_rights_than_they_need(path: Path) -> None:
    """Nothing may write to the repository, and the token stays out of the checkout."""
    workflow = yaml.safe_load(path.read_text())
    granted = [
        workflow["permissions"],
        *(job.get("permissions", {}) for job in jobs(path).values()),
    ]
    writes = {name for rights in granted for name, right in rights.items() if right == "write"}
    assert writes == ({"id-token", "attestations"} if path == RELEASE else set())
    for job in jobs(path).values():
        for step in job.get("steps", ()):
            if step.get("uses", "").startswith("actions/checkout"):
                assert step["with"]["persist-credentials"] is False


def test_a_release_is_built_from_a_tag_after_ci_and_published_apart() -> None:
    """What is published is what was built and attested; the job that publishes builds nothing."""
    # YAML 1.1 reads the key `on` as true.
    assert yaml.safe_load(RELEASE.read_text())[True] == {"push": {"tags": ["v*"]}}
    release = jobs(RELEASE)
    assert (release["build"]["needs"], release["publish"]["needs"]) == ("ci", "build")
    assert not any("run" in step for step in release["publish"]["steps"])
