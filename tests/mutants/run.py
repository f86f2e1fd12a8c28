#!/usr/bin/env python3
"""Breaks the service on purpose and shows which named test catches it.

Each mutant in mutants.toml names a promise, a file, the text to replace and the test that must turn red. The tree is
copied once; each mutant is applied to the copy, its test is run and must fail, and the copy is restored. Before that the
same tests run once on the unbroken copy and must pass, so that a red test means the mutant and nothing else.

usage: run.py [M1 M12 ...]     (all without arguments)
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

# Seconds for a build and a test; a machine that does much else needs more.
PATIENCE = int(os.environ.get("MUTANTS_PATIENCE", "400"))

ROOT = Path(__file__).resolve().parents[2]


def cargo(tree, test, target):
    """Runs one test; returns (passed, ran, output)."""
    command = ["cargo", "test", "--quiet", *test["target"].split(), "--", "--test-threads=2", *test["name"].split()]
    env = dict(os.environ, CARGO_TARGET_DIR=str(target), PROPTEST_CASES=os.environ.get("PROPTEST_CASES", "256"))
    # Nobody debugs a mutant: without its words for a debugger each is built in half the time.
    env["CARGO_PROFILE_DEV_DEBUG"] = "0"
    # A mutant may make its test wait for ever: that is seen too. A group of its own, so that nothing is left behind.
    process = subprocess.Popen(
        command, cwd=tree, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        output, _ = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
    ran = any(
        line.startswith("running ") and not line.startswith("running 0 ") for line in output.splitlines()
    )
    return process.returncode == 0, ran, output


def copy_tree(tree):
    files = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
    for name in files.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)


def main():
    wanted = set(sys.argv[1:])
    mutants = tomllib.loads((Path(__file__).parent / "mutants.toml").read_text())["mutant"]
    mutants = [m for m in mutants if not wanted or m["id"] in wanted]
    target = Path(os.environ.get("MUTANTS_TARGET_DIR", ROOT / "target" / "mutants"))
    target.mkdir(parents=True, exist_ok=True)
    failed = []
    with tempfile.TemporaryDirectory(prefix="eile-mutants-") as folder:
        os.chmod(folder, 0o755)
        tree = Path(folder) / "tree"
        copy_tree(tree)
        clean = {}
        for mutant in mutants:
            key = (mutant["target"], mutant["name"])
            if key not in clean:
                passed, ran, output = cargo(tree, mutant, target)
                clean[key] = passed and ran
                if not clean[key]:
                    print(f"the unbroken tree does not pass {key}:\n{output[-2000:]}")
        print(f"{'mutant':7} {'verdict':9} {'s':>5}  what was broken  ->  the test that saw it")
        for mutant in mutants:
            started = time.monotonic()
            verdict = judge(tree, target, mutant, clean)
            took = time.monotonic() - started
            print(f"{mutant['id']:7} {verdict:9} {took:5.0f}  {mutant['what']}  ->  {mutant['name']}", flush=True)
            if verdict != "caught":
                failed.append(mutant["id"])
    print(f"{len(mutants) - len(failed)} passed, {len(failed)} failed")
    if failed:
        print("not caught:", " ".join(failed))
    return 1 if failed else 0


def judge(tree, target, mutant, clean):
    if not clean[(mutant["target"], mutant["name"])]:
        return "BASE RED"
    edits = mutant.get("edit") or [mutant]
    originals = {}
    try:
        for edit in edits:
            path = tree / edit["file"]
            text = path.read_text()
            originals.setdefault(path, text)
            if text.count(edit["from"]) != 1:
                return "NO MATCH"
            path.write_text(text.replace(edit["from"], edit["to"]))
        passed, ran, output = cargo(tree, mutant, target)
        if passed:
            return "SURVIVED"
        if "error: could not compile" in output or "error[E" in output:
            print(output[-3000:])
            return "NO BUILD"
        return "caught" if ran else "NOT RUN"
    finally:
        for path, text in originals.items():
            path.write_text(text)


if __name__ == "__main__":
    sys.exit(main())
