"""How Sphinx builds the site: `python -m sphinx -W --keep-going -b html docs docs/_build/html`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from docs._ext.directives import aliases
from voucherify_async import __version__

project = "voucherify-async"
author = "The voucherify-async authors"
copyright = author  # noqa: A001 - Sphinx's name for it
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "docs._ext",
]
exclude_patterns = ["_build", "_ext"]
nitpicky = True
nitpick_ignore_regex = [
    # Names of the standard library and of other libraries: the site links to nothing outside.
    (r"py:.*", r"(collections|contextlib|datetime|os|pathlib|ssl|typing|types)\..*"),
    (r"py:.*", r"(httpx|starlette)\..*"),
    (r"py:class", r"Number|Path|PathLike|voucherify_async\.pagination\.T"),
    # Names of ours that are private, which say in a signature what their docstrings explain.
    (r"py:class", r"voucherify_async\.(\w+\.)*_\w+\..*"),
    (r"py:class", r"voucherify_async\.resources\.\w+\.Raw\w+"),
    (r"py:class", r"AnyCustomer|AnyOrder|BackendName|Certificate|TransactionRows|Verify"),
    (r"py:class", r"Redis|RedisCluster"),
]

myst_enable_extensions = ["colon_fence", "deflist", "attrs_block", "attrs_inline"]
myst_heading_anchors = 4
# Files of the repository that pages include link to each other by their paths there.
suppress_warnings: list[str] = []

default_role = "code"
toc_object_entries_show_parents = "hide"
autodoc_class_signature = "mixed"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
# An alias is shown by its name, and told in the reference.
autodoc_type_aliases = aliases()
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80

copybutton_prompt_text = r"\$ |>>> "
copybutton_prompt_is_regexp = True

html_theme = "furo"
html_title = "voucherify-async"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_copyright = False
html_show_sphinx = False
html_theme_options = {
    "navigation_with_keys": True,
    "footer_icons": [],
    "top_of_page_buttons": [],
}
