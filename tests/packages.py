"""Packages of files as `pip install` leaves them behind."""

from __future__ import annotations

from inrvid import packages


def install_files(site, group, package, points, **files):
    """One with YAML `files`, by name, in a folder named after the group; none of its modules can be imported."""
    packages._told.clear()  # what other tests were told of packages of that name
    info = site / f"{package}-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{points}\n")
    folder = site / package / group.rpartition(".")[2]
    folder.mkdir(parents=True)
    for path in (folder.parent, folder):
        (path / "__init__.py").write_text("raise RuntimeError('imported')\n")
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder
