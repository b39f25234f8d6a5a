#!/usr/bin/python3 -B
"""testssl.sh against a TLS listener. Fails on a finding above LOW that does not come from the certificate of the test."""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))
import stand  # noqa: E402

# What says nothing of Keygate. A finding of a listener in service under the first of these would.
OF_THE_TEST = {
    "cert_revocation": "the test's authority publishes neither a CRL nor OCSP",
    "sessionresumption_ticket": "testssl hangs up before a ticket of TLS 1.3 arrives, at times; ListenerTls.ASessionIsResumed looks",
    "engine_problem": "testssl's own openssl has no GOST ciphers to try",
}
BAD = ("MEDIUM", "HIGH", "CRITICAL", "FATAL", "WARN")


def base_id(finding):
    """Without what testssl adds where there are several certificates."""
    return finding["id"].split(" ")[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="print each finding, good ones too")
    chosen = parser.parse_args()
    with stand.Stand(with_sockets=False) as running, tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        argv = ["testssl", "--quiet", "--color", "0", "--warnings", "off", "--ip", "127.0.0.1", "--add-ca", running.ca_file,
                "--jsonfile", report,
                f"localhost:{running.ports['tls']}"]
        done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        findings = json.loads(report.read_text()) if report.exists() else []
        status = running.keygate.end()
    if len(findings) < 80:
        print(f"testssl said too little ({len(findings)} findings, exit status {done.returncode}): {done.stdout[-3000:]}{done.stderr[-1000:]}")
        return 1
    counts, wrong = {}, []
    for finding in findings:
        severity, name = finding["severity"], base_id(finding)
        counts[severity] = counts.get(severity, 0) + 1
        line = f"{severity:8} {finding['id']}: {finding['finding']}"
        # Of what can be tried in vain, only that it was is passed over.
        is_bad = severity in BAD and (name not in OF_THE_TEST or (name.startswith("session") and severity != "WARN"))
        if chosen.all or severity in (*BAD, "LOW"):
            print(line + (f"   (left out: {OF_THE_TEST[name]})" if severity in BAD and name in OF_THE_TEST else ""))
        if is_bad:
            wrong.append(line)
    print(f"{len(findings)} findings: " + ", ".join(f"{count} {severity}" for severity, count in sorted(counts.items())))
    for line in wrong:
        print(f"WRONG: {line}")
    if status:
        print(f"WRONG: keygate ended with {status}")
    return 1 if wrong or status else 0


if __name__ == "__main__":
    sys.exit(main())
