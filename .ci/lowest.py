"""Print pip constraints: the lowest versions that pyproject.toml promises to users.

What the tests, the checks and a release need besides is left to pip, and so is trio's extra: it
raises what asyncio takes, and the tests of trio run on the newest versions.
"""

from __future__ import annotations

import tomllib
from itertools import chain
from pathlib import Path

from packaging.requirements import Requirement

LEFT_OUT = {"bench", "dev", "docs", "release", "trio"}

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
extras = project["optional-dependencies"].items()
promised = chain(project["dependencies"], *(of for name, of in extras if name not in LEFT_OUT))
for wanted in map(Requirement, promised):
    if wanted.name != project["name"]:
        (lowest,) = (spec.version for spec in wanted.specifier if spec.operator == ">=")
        print(f"{wanted.name}=={lowest}")
