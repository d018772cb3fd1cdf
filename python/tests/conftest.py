"""A corpus with known truth, and the tables that the command makes of it."""

import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = str(Path(sys.executable).with_name("requant"))


def command(*arguments, code=0):
    done = subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=600)
    assert done.returncode == code, (arguments, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "corpus"
    command("simulate", "--out", folder, "--subjects", 3)
    return folder


@pytest.fixture(scope="session")
def results(corpus):
    out = corpus.parent / "results"
    command("run", corpus, "--engine", "cpu", "--curves", "--out", out)
    return out


@pytest.fixture(scope="session")
def files(corpus):
    return sorted(corpus.glob("sub-*/mrs/*_svs.nii.gz"))


@pytest.fixture(scope="session")
def file(files):
    return files[0]
