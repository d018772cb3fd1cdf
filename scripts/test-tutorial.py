"""Runs every command of docs/tutorial.md in an empty folder, and holds what comes out to what the page shows.

    python scripts/test-tutorial.py [--chroot] REQUANT [DATA]      python with pyarrow and pandas; DATA: ../shared/data

With --chroot (as root) that folder is a file system of its own: the static binary, the scans and nothing else, not even a shell.

Words must be the same; numbers may differ by a tenth or 0.05, as fits improve; times are not compared. Lines that the page leaves
out are no fault.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

root = Path(__file__).resolve().parent.parent
arguments = [one for one in sys.argv[1:] if one != "--chroot"]
is_apart = len(arguments) < len(sys.argv) - 1
requant = Path(arguments[0]).resolve()
data = Path(arguments[1] if len(arguments) > 1 else root / "../shared/data").resolve()
TIME = re.compile(r"[\d.]+ (s|fits/s)\b")
NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")


def steps(page):
    """Commands and Python blocks, each with the lines that it must print."""
    found, fence, language = [], None, ""
    for line in page.splitlines():
        if line.startswith("```"):
            if fence is None:
                fence, language = [], line[3:]
            else:
                if language == "python":
                    found.append((("python", "\n".join(fence)), []))
                elif found:
                    found[-1][1].extend(fence)
                fence = None
        elif fence is not None:
            fence.append(line)
        elif line.startswith("    requant "):
            found.append((("command", line.strip()), []))
    return found


def is_alike(shown, said):
    if TIME.search(shown):
        shown, said = TIME.sub("TIME", shown), TIME.sub("TIME", said)
    if NUMBER.sub("#", shown).split() != NUMBER.sub("#", said).split():
        return False
    pairs = zip(map(float, NUMBER.findall(shown)), map(float, NUMBER.findall(said)))
    return all(abs(a - b) <= max(0.05, 0.1 * abs(a)) for a, b in pairs)


with tempfile.TemporaryDirectory() as folder:
    for subject in ("sub-01", "sub-02"):
        shutil.copytree(data / f"philips-sdat/press35-{subject.replace('-', '')}", f"{folder}/scans/{subject}")
    (Path(folder) / "bin").mkdir()
    if is_apart:
        shutil.copy(requant, f"{folder}/bin/requant")
    else:
        (Path(folder) / "bin/requant").symlink_to(requant)
    environment = {"PATH": "/bin"} if is_apart else os.environ | {"PATH": f"{folder}/bin:{os.environ['PATH']}"}

    def run(kind, text):
        # Python's lines are those of a person's own machine, where the tables went.
        if kind == "python":
            return subprocess.run([sys.executable, "-c", text], cwd=folder, capture_output=True, text=True)
        line = shlex.split(text) if is_apart else ["sh", "-c", text]
        enter = (lambda: os.chroot(folder)) if is_apart else None
        return subprocess.run(line, cwd=folder, env=environment, preexec_fn=enter, capture_output=True, text=True)

    n_commands = n_lines = 0
    for (kind, text), expected in steps((root / "docs/tutorial.md").read_text(encoding="utf-8")):
        done = run(kind, text)
        assert done.returncode == 0, (text, done.stdout, done.stderr)
        said = (done.stdout + done.stderr).splitlines()
        for shown in filter(str.strip, expected):
            assert any(is_alike(shown, one) for one in said), f"{text}\n  does not print\n    {shown}\n  but\n" + "\n".join(said)
            n_lines += 1
        n_commands += 1
    for name in ("results/report.html", "fit.pdf", "study/analysis.tsv", "study/flow.tsv"):
        assert (Path(folder) / name).stat().st_size > 0, name
    assert n_commands == 6 and n_lines >= 12, (n_commands, n_lines)
print(f"docs/tutorial.md: {n_commands} commands, {n_lines} lines as printed{' in an empty root' if is_apart else ''}")
