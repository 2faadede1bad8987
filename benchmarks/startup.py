"""How much longer a stage takes to say what it does than Python takes to load what it must load anyway.

`python benchmarks/startup.py`: alternating runs, the fastest of each counts; the aim is a ratio of at most 1.6.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODULES = ("stages.converge", "stages.sample", "stages.train", "stages.loop")
FLOOR = "import typer, pydantic, pandas"
AIM = 1.6


def seconds(*arguments: str) -> float:
    """Return how long a Python process takes."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="alternating runs of each; the fastest counts")
    runs = parser.parse_args().runs
    commands = {FLOOR: ("-c", FLOOR), **{f"python -m {name} --help": ("-m", name, "--help") for name in MODULES}}
    fastest = dict.fromkeys(commands, float("inf"))
    for _ in range(runs):
        for name, arguments in commands.items():
            fastest[name] = min(fastest[name], seconds(*arguments))
    print(f"{'start-up':<34}{'seconds':>9}{'ratio':>8}   (fastest of {runs}; aim: at most {AIM})")
    for name, value in fastest.items():
        print(f"{name:<34}{value:>9.3f}{value / fastest[FLOOR]:>8.2f}")


if __name__ == "__main__":
    main()
