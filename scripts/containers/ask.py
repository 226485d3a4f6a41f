"""Ask a running service, as one of its clients would. Standard library only.

ask.py URL health      waits until /health answers 200, prints its message
ask.py URL database    fails unless /ready finds the database well
ask.py URL send        sends a code to the test number, prints the code
ask.py URL verify OTP  verifies it, prints the answer's message

Or Prometheus:

ask.py URL scraped     waits until it reads the service's metrics, prints the service's release
ask.py URL alerts      prints how many alerts it has, fails if one can't be evaluated
"""

import json
import sys
import time
import urllib.error
import urllib.request
from typing import Any

PHONE = "+1234567890"  # the sandbox's test number: never leaves the machine
WAIT_SECONDS = 60

# No proxy from the environment: the service is on this machine.
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(url: str, body: dict[str, str] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with opener.open(request, timeout=10) as response:
        return json.load(response)


def wait_for_health(url: str) -> Any:
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return ask(f"{url}/health")
        except (OSError, ValueError) as problem:  # refused, reset, not yet HTTP, not 2xx
            if time.monotonic() > deadline:
                raise SystemExit(f"no answer from {url}/health: {problem}") from None
            time.sleep(0.2)


def wait_for_scrape(url: str) -> str:
    """Prometheus asks every 15 seconds."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not (found := ask(f"{url}/api/v1/query?query=otp_build_info")["data"]["result"]):
        if time.monotonic() > deadline:
            targets = ask(f"{url}/api/v1/targets")["data"]["activeTargets"]
            raise SystemExit(f"not scraped: {[each['lastError'] for each in targets]}")
        time.sleep(0.5)
    return str(found[0]["metric"]["version"])


def alerts(url: str) -> str:
    groups = ask(f"{url}/api/v1/rules?type=alert")["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    if broken := [rule["name"] for rule in rules if rule["health"] == "err"]:
        raise SystemExit(f"they can't be evaluated: {broken}")
    return str(len(rules))


def successful(answer: Any) -> Any:
    if answer.get("success") is not True:
        raise SystemExit(f"unexpected answer: {answer}")
    return answer


def main(url: str, what: str, *otp: str) -> str:
    if what == "health":
        return str(wait_for_health(url)["message"])
    if what == "database":
        if (state := ask(f"{url}/ready")["data"]["database"]) != "ok":
            raise SystemExit(f"the database is {state}")
        return "ok"
    if what == "scraped":
        return wait_for_scrape(url)
    if what == "alerts":
        return alerts(url)
    if what == "send":
        return str(successful(ask(f"{url}/send-otp", {"phone_number": PHONE}))["data"]["otp"])
    verified = successful(ask(f"{url}/verify-otp", {"phone_number": PHONE, "otp": otp[0]}))
    return str(verified["message"])


if __name__ == "__main__":
    try:
        print(main(*sys.argv[1:]))
    except urllib.error.HTTPError as error:
        raise SystemExit(
            f"HTTP {error.code}: {error.read(2000).decode(errors='replace')}"
        ) from None
