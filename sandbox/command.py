"""`python -m sandbox`: serve all platforms until SIGTERM."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from domain.errors import ConfigurationError, MrmError
from sandbox.serving import SEED, Sandbox, replace


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code. The state file is written last, when everything answers."""
    options = _options().parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        with _start(options) as sandbox:
            state = sandbox.state()
            if options.state:
                replace(options.state, state)
            _say(state, options)
            stop.wait()
    except MrmError as error:
        print(f"sandbox: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    finally:
        if options.state:
            options.state.unlink(missing_ok=True)
    return 0


def _start(options: argparse.Namespace) -> Sandbox:
    try:
        return Sandbox(options.dir, datasets=options.dataset, today=options.today, port=options.port, seed=options.seed)
    except OSError as error:
        raise ConfigurationError(f"The sandbox cannot start in {options.dir}", why=str(error), fix="Pass another --dir or --port") from error


def _say(state: dict[str, object], options: argparse.Namespace) -> None:
    if options.quiet:
        return
    google, meta, direct, ga4, metrica, proxy = (state[name] for name in ("google_ads", "meta_ads", "yandex_direct", "ga4", "yandex_metrica", "proxy"))
    assert isinstance(google, dict)
    assert isinstance(meta, dict)
    assert isinstance(direct, dict)
    assert isinstance(ga4, dict)
    assert isinstance(metrica, dict)
    assert isinstance(proxy, dict)
    lines = [
        f"Google Ads     grpc {google['endpoint']}   rest {google['rest']}",
        f"               export GRPC_DEFAULT_SSL_ROOTS_FILE_PATH={google['ca_bundle']}",
        f"               GoogleAdsClient(Credentials('sandbox'), developer_token='s' * 22, endpoint='{google['endpoint']}',",
        f"                               login_customer_id='{google['login_customer_id']}')",
        f"Meta Ads       {meta['endpoint']}",
        f"               FacebookSession.GRAPH = '{meta['endpoint']}'; FacebookAdsApi.init(access_token='sandbox')",
        f"Yandex.Direct  {direct['endpoint']}/json/v5/",
        "               Authorization: Bearer sandbox; Client-Login: <login>",
        f"GA4            {ga4['endpoint']}   grpc {ga4['grpc']}",
        f"               BetaAnalyticsDataClient(credentials=Credentials('sandbox'), transport='rest', client_options={{'api_endpoint': '{ga4['endpoint']}'}})",
        f"Yandex Metrica {metrica['endpoint']}/management/v1/counters   Authorization: OAuth sandbox",
        f"Any client     HTTPS_PROXY={proxy['url']} REQUESTS_CA_BUNDLE={google['ca_bundle']} SSL_CERT_FILE={google['ca_bundle']}",
        "               (the platforms under their own names; nothing leaves this machine)",
        f"Control        {state['control']}/__sandbox__/{{clock,faults,accounts,requests}}",
    ]
    print("\n".join(lines), flush=True)  # noqa: T201


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="Serve the ad platforms on loopback, from dataset files or a generated agency.")
    parser.add_argument("--state", type=Path, help="write addresses and accounts to this JSON file when ready")
    parser.add_argument("--dir", type=Path, required=True, help="a directory of its own, for certificates")
    parser.add_argument("--dataset", type=Path, action="append", default=[], metavar="FILE.csv", help="serve this file; may be repeated")
    parser.add_argument("--today", type=date.fromisoformat, help="pin the clock to YYYY-MM-DD; the wall's date by default")
    parser.add_argument("--port", type=int, default=0, help="first of nine ports; any free ones by default")
    parser.add_argument("--seed", type=int, default=SEED, help="seed of the generated agency")
    parser.add_argument("--quiet", action="store_true", help="print nothing")
    return parser
