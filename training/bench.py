"""Measure the latency of every runtime: `python -m training.bench`, see benchmarks/bench.py."""

try:
    from benchmarks.bench import main
except ModuleNotFoundError as error:
    if error.name != "benchmarks":
        raise
    raise SystemExit("error: training.bench runs in a checkout, which holds benchmarks/") from None

if __name__ == "__main__":
    main()
