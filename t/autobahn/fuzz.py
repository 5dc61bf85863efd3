"""Drives Autobahn's fuzzing client against a server and says how it went.

nginx-build/autobahn calls this; by hand it does for any server:

    target/autobahn/venv/bin/python t/autobahn/fuzz.py --reports DIR ws://127.0.0.1:9001/

Exits with 0 when every case is passed or informational, with 1 when one is
not, with 2 when there was nothing to judge.
"""

from __future__ import annotations

import argparse
import asyncio
import html
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable

import strict

VERDICTS = ("pass", "non-strict", "informational", "unimplemented", "failed")
GOOD = ("pass", "informational")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--reports", required=True, metavar="DIR")
    parser.add_argument("-x", "--exclude", action="append", default=[])
    parser.add_argument("-j", "--parallel", type=int, default=4)
    parser.add_argument("url")
    parser.add_argument("cases", nargs="*")
    args = parser.parse_args()

    start = time.monotonic()
    try:
        results = asyncio.run(run(args))
    except ValueError as error:  # no such case
        print(error, file=sys.stderr)
        return 2
    seconds = time.monotonic() - start
    if not results:
        print("no cases were run", file=sys.stderr)
        return 2

    from kosoku._report import write_reports

    write_reports(results, args.reports)
    judged = [(result, *judge(result)) for result in results]
    table(judged, seconds)
    missing(result for result, verdict, _ in judged if verdict == "unimplemented")
    for result, verdict, reasons in judged:
        if verdict not in ("pass", "unimplemented"):
            explain(result, verdict, reasons)

    return int(any(verdict not in GOOD for _, verdict, _ in judged))


async def run(args) -> list:
    from kosoku import FailureError, run_fuzzingclient
    from kosoku.cases import CASES

    for case_id, case in CASES.items():
        if case_id.startswith(("12.", "13.")):
            case.onMessage = with_bytes(case.onMessage)
    try:
        return await run_fuzzingclient(
            args.url, args.cases or None, args.exclude, concurrency=args.parallel
        )
    except FailureError as failure:
        return failure.results  # all of them, not only those that failed


def with_bytes(on_message):
    """Hands the cases of compression the bytes they want, also of messages that a
    server did not compress, as it may: those, kosoku makes a str."""

    def on_message_of_bytes(case, msg, binary):
        if isinstance(msg, str):
            msg = msg.encode("latin-1" if binary else "utf-8")
        on_message(case, msg, binary)

    return on_message_of_bytes


def judge(result) -> tuple[str, list[str]]:
    """The verdict on a case and what speaks against it."""
    behavior, close = result.behavior.value, result.behavior_close.value

    if broken := list(strict.violations(result)):
        return "failed", broken
    if behavior == "UNIMPLEMENTED":
        return "unimplemented", []
    if behavior not in ("OK", "NON-STRICT", "INFORMATIONAL"):
        return "failed", [result.result, result.result_close]
    if close not in ("OK", "INFORMATIONAL"):
        return "failed", [f"{close}: {result.result_close}"]
    # Of every case that knows NON-STRICT there is a strict way too.
    if behavior == "NON-STRICT":
        return "non-strict", []
    if missing := list(strict.omissions(result)):
        return "non-strict", missing
    if behavior == "INFORMATIONAL":
        return "informational", []
    return "pass", []


def table(judged: list, seconds: float) -> None:
    from kosoku._report_assets import CaseCategories

    rows: dict[str, list] = {}
    for result, verdict, _ in judged:
        section = result.case_id.split(".")[0]
        rows.setdefault(section, []).append((verdict, result.duration))

    head = ("cases", *VERDICTS, "seconds")
    print(f"{'section':<28}", *(f"{name:>{max(7, len(name))}}" for name in head))

    def line(name: str, row: list) -> None:
        verdicts = [verdict for verdict, _ in row]
        counts = (len(row), *(verdicts.count(verdict) for verdict in VERDICTS))
        cells = [f"{n:>{max(7, len(h))}}" for n, h in zip(counts, head)]
        print(f"{name:<28}", *cells, f"{sum(ms for _, ms in row) / 1000:7.1f}")

    for section, row in rows.items():
        line(f"{section:>2} {short(CaseCategories[section], 25)}", row)
    line("all", [cell for row in rows.values() for cell in row])
    print(f"\n{len(judged)} cases in {seconds:.1f} seconds\n")


def missing(results: Iterable) -> None:
    """Cases whose extension the server did not negotiate; there are many or none."""
    groups = Counter(result.case_id.rpartition(".")[0] for result in results)
    for group, count in groups.items():
        print(f"{group}.* unimplemented: {count} cases")


def explain(result, verdict: str, reasons: list[str]) -> None:
    print(f"{result.case_id} {verdict}{''.join(f'; {r}' for r in reasons if r)}")
    print(f"    sent:     {short(plain(result.description))}")
    print(f"    expected: {short(plain(result.expectation))}")
    print(f"    got:      {short(', '.join(events(result)))}")
    if verdict == "failed":
        for line in octets(result)[-8:]:
            print(f"    {line}")


def events(result) -> list[str]:
    """What came from the server, in a few words."""
    got = [event(*e) for e in result.received or []]
    if result.remote_close_code is not None:
        reason = result.remote_close_reason
        got.append(f"close {result.remote_close_code}" + (f" {reason!r}" if reason else ""))
    elif result.was_clean:
        got.append("close without a code")
    return got or ["nothing"]


def octets(result) -> list[str]:
    """What went over the wire, in hexadecimal and cut short."""
    ways = {"TO": "bytes >", "RO": "bytes <"}
    return [f"{ways[e[0]]}   {e[1][1]}" for e in result.wirelog if e[0] in ways]


def event(kind: str, data="", binary: bool = False) -> str:
    if kind == "message":
        return f"{'binary' if binary else 'text'} of {len(data)} characters"
    return f"{kind} {short(repr(data), 30)}"


def plain(text: str) -> str:
    """A description, which is HTML, on one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


def short(text: str, limit: int = 300) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."


if __name__ == "__main__":
    sys.exit(main())
