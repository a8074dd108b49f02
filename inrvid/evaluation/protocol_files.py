"""Where protocols are found: the library's and those of packages, by name (`packaged_files`). A package declares them:

[project.entry-points."inrvid.protocols"]
my_lab = "my_package.protocols"
"""

from __future__ import annotations

from pathlib import Path

from ..packaged_files import PackagedFiles

PROTOCOLS = PackagedFiles("inrvid.protocols", "protocol", Path(__file__).parent / "protocols")
