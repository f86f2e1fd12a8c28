#!/usr/bin/env python3
"""Breaks the first wall for one rpc after the other, and shows that the second holds (docs/decisions/0024).

In a copy of the tree, what an rpc is asked about is no longer compared with what the key reaches, and queries are no longer
narrowed, where EILE_MUTANT names the rpc ("within" for the queries). It is built once. Then, on PostgreSQL, for every rpc of
src/api/rights.rs whose row names something:

  caught   what_another_centre_has_is_not_there_whatever_the_rpc is red
  leaks    no_rpc_shows_anything_... is red with row-level security off: what only the second wall holds; LEAKS lists them
  holds    the same test is green with row-level security on

usage: walls.py [GetRoster within ...]     (all without arguments)
"""
import os
import re
import sys
import tempfile
from pathlib import Path

from run import ROOT, cargo, copy_tree

CODES = "on_postgres::wall::what_another_centre_has_is_not_there_whatever_the_rpc"
WORDS = "on_postgres::wall::no_rpc_shows_anything_of_a_centre_that_the_key_does_not_reach"

# What shows names, words or rows of another centre once the first wall is broken and there is no second.
LEAKS = {
    "CheckIn", "ExportRegistration", "GetAttendanceSummary", "GetCompletion", "GetRegistration", "GetRoster",
    "ListAccessEntries", "ListPossibleDuplicates", "ListRegistrations", "TransferRegistration", "within",
}
# Their rows name what the handler narrows; asking is not refused, and the queries are broken by "within".
NARROWED = {"within"}

BROKEN = 'std::env::var("EILE_MUTANT").is_ok_and(|m| m == {})'
EDITS = [
    (
        "src/api/admit.rs",
        "targets: &[Target<'_>]) -> Result<(), Status> {\n        for target in targets {",
        "targets: &[Target<'_>]) -> Result<(), Status> {\n        if "
        + BROKEN.format("method")
        + " { return Ok(()); }\n        for target in targets {",
    ),
    (
        "src/model/access.rs",
        "    pub fn within(&self) -> Within {\n",
        "    pub fn within(&self) -> Within {\n        if " + BROKEN.format('"within"') + " { return Within::default(); }\n",
    ),
]


def rpcs():
    """Every rpc whose message names something, or is narrowed to what its key reaches."""
    text = (ROOT / "src/api/rights.rs").read_text()
    rows = re.findall(r'^    \w+Request "(\w+)": (.*?), \w+, [\w()]+, (\w+;|\|)', text, re.M)
    named = [method for method, _, targets in rows if targets == "|"]
    narrowed = ["ListDueErasures", "EraseDue", "GetDemand", "GetImbalance", "GetParticipation"]
    heads = [method for method, roles, _ in rows if re.search("OFFICE|STAFF|SIGN_UPS|HEAD|FIGURES|EVERYBODY", roles)]
    by_event = {"GetWaitlistFunnel", "ListAccessEntries", "CreateReport", "ListChanges", "WatchChanges"}
    assert by_event <= set(named), by_event - set(named)
    return [m for m in named + narrowed if m in heads] + ["within"]


def is_green(tree, target, name, mutant, wall):
    os.environ.update(EILE_MUTANT=mutant, EILE_TEST_WALL=wall)
    passed, ran, output = cargo(tree, {"target": "--test api", "name": f"{name} --exact"}, target)
    if not ran:
        sys.exit(output[-3000:])
    return passed


def judge(tree, target, rpc):
    faults = []
    if rpc not in NARROWED and is_green(tree, target, CODES, rpc, "on"):
        faults.append("NOT CAUGHT")
    leaks = not is_green(tree, target, WORDS, rpc, "off")
    if leaks != (rpc in LEAKS):
        faults.append("LEAKS WITHOUT THE WALL" if leaks else "DOES NOT LEAK WITHOUT THE WALL")
    if not is_green(tree, target, WORDS, rpc, "on"):
        faults.append("LEAKS THROUGH THE WALL")
    return faults, leaks


def main():
    target = Path(os.environ.get("MUTANTS_TARGET_DIR", ROOT / "target" / "mutants"))
    target.mkdir(parents=True, exist_ok=True)
    failed, wanted = [], sys.argv[1:] or rpcs()
    with tempfile.TemporaryDirectory(prefix="eile-walls-") as folder:
        os.chmod(folder, 0o755)
        tree = Path(folder) / "tree"
        copy_tree(tree)
        for name, before, after in EDITS:
            text = (tree / name).read_text()
            assert text.count(before) == 1, f"{name} does not hold what is to be broken"
            (tree / name).write_text(text.replace(before, after))
        for name, wall in [(CODES, "on"), (WORDS, "on"), (WORDS, "off")]:
            assert is_green(tree, target, name, "", wall), f"{name} is red without a mutant, wall {wall}"
        for rpc in wanted:
            faults, leaks = judge(tree, target, rpc)
            holds = "held by the second wall" if leaks else "nothing of people to hold"
            print(f"{rpc:28} {', '.join(faults) or 'caught, ' + holds}", flush=True)
            failed += [rpc] if faults else []
    print(f"{len(wanted) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
