"""The pages for users: whether they say what is."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("weights/*/*.md"))]


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def test_the_page_of_parameters_is_current():
    pytest.importorskip("rcl_interfaces", reason="rcl_interfaces is missing: it comes with ROS")
    made = subprocess.run(
        [sys.executable, "docs/parameters.py"], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    assert (ROOT / "docs/parameters.md").read_bytes() == made.stdout, (
        "run python docs/parameters.py > docs/parameters.md"
    )


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_links_lead_to_files_that_are_there(page):
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if not link.startswith(("http://", "https://")):
            assert (page.parent / link).exists(), link
