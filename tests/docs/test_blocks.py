"""Pages as the runner reads them."""

from __future__ import annotations

import pytest

from .blocks import blocks, commands
from .commands import check_command

PAGE = """Words.

<!-- not run: it needs a GPU -->
```bash
torchrun -m inrvid train quickstart
```

1. A list

   ```python
   # a/b.py
   x = 1
   ```
"""


def test_blocks_know_where_they_are_what_file_they_are_and_whether_they_run():
    shell, code = blocks(PAGE)
    assert (shell.language, shell.line, shell.not_run, shell.file) == ("bash", 5, True, "")
    assert (code.language, code.not_run, code.file, code.text) == ("python", False, "a/b.py", "# a/b.py\nx = 1\n")


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("<!-- not run -->\n```bash\n```\n", "reason"),
        ("<!-- not run: -->\n```bash\n```\n", "reason"),
        ("<!-- not run: it is slow -->\n\nWords.\n", "directly before"),
        ("```bash\nls\n", "without an end"),
    ],
)
def test_marks_have_reasons_and_blocks(page, said):
    with pytest.raises(ValueError, match=said):
        blocks(page)


def test_commands_are_lines_continued_lines_and_here_documents():
    text = "# only a comment\na \\\n   b  # why\npython - <<'EOF'\nx = 1\n# y\nEOF\nc > d\n"
    assert list(commands(text)) == ["a b  # why", "python - <<'EOF'\nx = 1\n# y\nEOF", "c > d"]


@pytest.mark.parametrize(
    "command",
    [
        "srun inrvid train quickstart --nope",
        "inrvid nope",
        "inrvid generate runs/a",
        "X=1 inrvid train quickstart --set train.kclip=4",
        "ls && python -m inrvid train no_such_recipe | head",
    ],
)
def test_commands_that_are_not_run_name_what_exists(command):
    with pytest.raises(pytest.fail.Exception):
        check_command(command)


def test_commands_that_are_not_run_may_be_of_packages_and_clusters():
    check_command("torchrun --nnodes 2 -m inrvid train digan_ucf --data UCF-101 --run-dir /shared/ucf")
    check_command("inrvid train r3_digan_landscapes_32 && inrvid hub push published me/my-model")
