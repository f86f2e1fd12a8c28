# The names that a newcomer tries. What they need is found or installed by tests/tools.sh.
.DEFAULT_GOAL := help
.PHONY: help test lint rust proto outside demo bench bench-attacks bench-door bench-feed bench-reports bench-watches mutants walls fmt baseline

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

test: ## everything: lint, rust, proto, outside
	@bash tests/run.sh

lint: ## rustfmt and clippy, warnings are errors
	@bash tests/run.sh lint

rust: ## the tests in Rust, on SQLite and PostgreSQL
	@bash tests/run.sh rust

proto: ## buf lint and buf breaking
	@bash tests/run.sh proto

outside: ## a Python client against the real binary, kill -9 included; ARGS="-k rush" as pytest takes it
	@ARGS="$(ARGS)" bash tests/run.sh outside

demo: ## a year of six centres in some seconds, then it serves on; ARGS="--exit --seed 7"
	@cargo run --release -- demo $(ARGS)

bench: ## sign-ups per second beside the ceiling and the textbook way
	@bash tests/tools.sh cargo postgres
	@cargo bench --bench rush $(ARGS)

bench-attacks: ## attacks beside an honest portal: what they cost its sign-ups, and memory; ARGS='"slow readers" --seconds 20'
	@bash tests/tools.sh cargo postgres python
	@PYTHONDONTWRITEBYTECODE=1 .tools/venv/bin/python benches/attacks/run.py $(ARGS)

bench-door: ## check-ins per second on one event, and a list of 20 people in one transaction
	@bash tests/tools.sh cargo postgres
	@cargo bench --bench door $(ARGS)

bench-feed: ## the change feed under the rush: lag, what it costs sign-ups, a thousand followers
	@bash tests/tools.sh cargo postgres
	@cargo bench --bench feed $(ARGS)

bench-reports: ## reports over a million registrations: how long they take, what they cost sign-ups
	@bash tests/tools.sh cargo postgres
	@cargo bench --bench reports $(ARGS)

bench-watches: ## ten thousand idle watches: what they cost in memory
	@bash tests/tools.sh cargo postgres
	@cargo bench --bench watches $(ARGS)

mutants: ## breaks the service on purpose; each mutant must turn a named test red; ARGS="M1 M12"
	@bash tests/tools.sh cargo postgres
	@python3 tests/mutants/run.py $(ARGS)

walls: ## breaks the first wall rpc by rpc; the second must hold; ARGS="GetRoster within"
	@bash tests/tools.sh cargo postgres
	@python3 tests/mutants/walls.py $(ARGS)

fmt: ## formats Rust and proto
	@bash tests/tools.sh buf
	@cargo fmt
	@.tools/node_modules/.bin/buf format -w

baseline: ## after a release: what was released is what must not break from now on
	@bash tests/tools.sh buf
	@.tools/node_modules/.bin/buf build --exclude-source-info -o proto/eile-v1.baseline.binpb
