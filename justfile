# What people type. `just` alone lists it.
default:
    @just --list

# Throw-away shop with everything in it, in the terminal.
demo *ARGS:
    cargo run --release -- demo {{ARGS}}

# The lints that CI runs.
check:
    scripts/check

# All tests; arguments go to the runner.
test *ARGS:
    scripts/test {{ARGS}}

# Each figure beside its limit, or some: `just bench api`; `--on mysql+redis` for private servers. Writes target/bench*.json.
bench *ARGS:
    cargo build --release -p ordermill-cli
    cargo run --release -p ordermill-benches -- {{ARGS}}

# Screenshots of the last browser tests, made small, into docs/screenshots; without names: lists them.
screenshots *NAMES:
    scripts/screenshots {{NAMES}}

# The kill tests at full count.
chaos:
    ORDERMILL_CHAOS=full scripts/test -E 'package(ordermill-cli) & test(/^(killed|gateway|mails|zombie|clusters)::/)'

# Regenerates the tables in docs that tests compare.
docs:
    UPDATE_DOCS=1 cargo test -p ordermill-domain -p ordermill-app
