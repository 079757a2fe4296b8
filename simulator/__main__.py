"""`python -m simulator`: serve a small OpenStack until SIGTERM or Ctrl-C."""

import argparse
import signal
import sys
from pathlib import Path
from threading import Thread

import msgspec

from handlers.clouds.memory.settings import Range, Times
from handlers.clouds.memory.state import CloudState
from simulator.accounts import clouds_yaml
from simulator.server import HOST, make_server


def main(arguments: list[str] | None = None) -> int:
    """Bind, say where, serve. Times that are not given are those of a real OpenStack."""
    options = _parser().parse_args(arguments)
    times = Times(server_build=options.build_seconds, server_bind=_bind(options.build_seconds))
    state = CloudState(seed=options.seed, times=times)
    server = make_server(state, options.port, host=options.host)
    url = f"http://{options.host}:{server.server_port}"
    sys.stdout.write(f"simulator: {url}\n")
    if options.clouds_yaml:
        # YAML reads JSON
        options.clouds_yaml.write_bytes(msgspec.json.format(msgspec.json.encode(clouds_yaml(url))))
        sys.stdout.write(f"OS_CLIENT_CONFIG_FILE={options.clouds_yaml} OS_CLOUD=trove\n")
    sys.stdout.flush()
    signal.signal(signal.SIGTERM, lambda *_: Thread(target=server.shutdown).start())
    server.serve_forever()
    server.server_close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--host", default=HOST, help="address to serve (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument("--seed", type=int, default=0, help="for ids, times and chance")
    parser.add_argument(
        "--build-seconds",
        type=_range,
        default=Times().server_build,
        metavar="FIRST-LAST",
        help="how long a server builds (default: 1.5-3.4)",
    )
    parser.add_argument(
        "--clouds-yaml", type=Path, metavar="FILE", help="write the clients' configuration here"
    )
    return parser


def _range(text: str) -> Range:
    """`2` or `2-5`, in seconds."""
    first, _, last = text.partition("-")
    try:
        return float(first), float(last or first)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: write seconds as 2 or 2-5") from None


def _bind(build: Range) -> Range:
    """Ports are bound before the server is built."""
    usual = Times().server_bind
    return min(usual[0], build[0]), min(usual[1], build[1])


if __name__ == "__main__":
    sys.exit(main())
