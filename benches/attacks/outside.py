"""The modules of tests/outside, which know proto/ and the binary and nothing else."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/outside"))
import conftest  # noqa: E402, F401, makes the stubs
