"""Pays the people of a CSV file (columns ref, recipient, amount) through the API, each once, and waits until every payment is final.

usage: pay.py <url> <file with the API key> <file.csv>

The client is made from the API's own document: openapi-python-client generate --path openapi.json --meta none --output-path tidelock_client
Run it again whenever it broke off: a ref is paid once, however often it is sent.
"""

import csv
import sys
import time

from tidelock_client import AuthenticatedClient
from tidelock_client.api.events import list_events
from tidelock_client.api.withdrawals import file_withdrawals
from tidelock_client.models import BulkAnswer, EventPage, Problem, WithdrawalRequest

AT_ONCE = 10_000  # rows that one list may have
PAUSE = 0.5  # between two looks when nothing happened [seconds]


def refused(problem):
    """Every bad value, by field and rule."""
    lines = [problem.detail]
    for error in problem.errors or []:
        lines.append(f"  row {error.line}: {error.field} {error.value!r}: {error.rule}")
    sys.exit("\n".join(lines))


def file_all(client, rows):
    """Files every row; answers with the refs, as the API writes them, and how many were new."""
    refs, new = [], 0
    for start in range(0, len(rows), AT_ONCE):
        answer = file_withdrawals.sync(client=client, body=rows[start : start + AT_ONCE])
        if isinstance(answer, Problem):
            refused(answer)
        assert isinstance(answer, BulkAnswer)
        taken = [row.ref for row in answer.rows if row.outcome == "taken"]
        if taken:
            sys.exit("not filed, somebody used these refs for something else meanwhile: " + ", ".join(taken))
        refs += [row.ref for row in answer.rows]
        new += answer.filed
    return refs, new


def wait_for(client, refs):
    """Reads what happened until each ref is paid by a final block, or can never be. A back end would keep `next` from run to run."""
    waits, lost, after = set(refs), set(), 0
    while waits:
        page = list_events.sync(client=client, after=after, limit=1_000)
        if isinstance(page, Problem):
            refused(page)
        assert isinstance(page, EventPage)
        for event in page.events:
            about = waits.intersection(event.data.refs)
            if event.type_ == "tidelock.withdrawal.paid":
                waits -= about
            elif event.type_ in ("tidelock.withdrawal.rejected", "tidelock.withdrawal.cancelled", "tidelock.withdrawal.displaced"):
                waits, lost = waits - about, lost | about
        if not page.events:
            time.sleep(PAUSE)
        after = page.next_
    return lost


def main(url, key_file, list_file):
    with open(key_file, encoding="utf-8") as file:
        client = AuthenticatedClient(base_url=url, token=file.read().strip(), timeout=60)
    with open(list_file, encoding="utf-8", newline="") as file:
        rows = [WithdrawalRequest(ref=row["ref"], to=row["recipient"], amount=row["amount"]) for row in csv.DictReader(file)]
    refs, new = file_all(client, rows)
    print(f"{len(rows)} requests are durable, {new} of them new")
    lost = wait_for(client, refs)
    print(f"{len(rows) - len(lost)} are paid, by final blocks")
    if lost:
        sys.exit("never paid: " + ", ".join(sorted(lost)))


if __name__ == "__main__":
    main(*sys.argv[1:])
