"""Makes .venv and installs the requirement file named as argument into it, unless that very content is there already.

`make` runs it as a script with any Python from 3.11 on: nothing but the standard library may be imported here.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
VENV = TOP / ".venv"
PYTHON = VENV / "bin" / "python"


def fingerprint(name: str) -> str:
    """What an environment made from this file depends on: the files' content and the Python they were installed for."""
    digest = hashlib.sha256(sys.version.encode())
    for file in sorted({TOP / "requirements.txt", TOP / name}):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def is_sound() -> bool:
    """Whether .venv has a Python that starts: one whose base was removed, or that was copied from elsewhere, does not."""
    try:
        done = subprocess.run([PYTHON, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True)
    except OSError:
        return False
    return done.returncode == 0 and os.path.realpath(done.stdout.strip()) == str(VENV.resolve())


def has_pip() -> bool:
    return subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True).returncode == 0


def make() -> None:
    """Make .venv anew, with uv where there is one."""
    shutil.rmtree(VENV, ignore_errors=True)
    print("making .venv", flush=True)
    uv = shutil.which("uv")
    # This script may run with the very environment that it has just removed.
    python = getattr(sys, "_base_executable", sys.executable)
    command = [uv, "venv", "--quiet", "--python", python, str(VENV)] if uv else [python, "-m", "venv", str(VENV)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    said = done.stdout + done.stderr
    if "ensurepip" in said:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise SystemExit(
            f"This Python {version} cannot make environments: install python{version}-venv (Debian, Ubuntu: apt install python3-venv) and run make again."
        )
    raise SystemExit(f"The environment .venv could not be made with {python}: {said.strip()[-600:]}")


def install(name: str) -> None:
    """Install the pinned packages; they come as wheels, so that no compiler is needed."""
    print(f"installing {name}", flush=True)
    uv = shutil.which("uv")
    if uv:
        command = [uv, "pip", "install", "--quiet", "--python", str(PYTHON), "-r", name]
    else:
        command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-compile", "-r", name]
    if subprocess.run(command, cwd=TOP).returncode:
        raise SystemExit(f"The packages of {name} could not be installed; the messages above name the reason. Is the network there?")


def main(name: str) -> None:
    stamp = VENV / f".installed-{name}"
    wanted = fingerprint(name)
    if is_sound():
        if stamp.exists() and stamp.read_text() == wanted:
            return
        if not has_pip() and not shutil.which("uv"):
            make()
    else:
        make()
    install(name)
    stamp.write_text(wanted)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except KeyboardInterrupt:
        # Without its stamp the environment is completed by the next make.
        sys.exit(130)
