# Sourced by the commands: sets $python to a Python of at least 3.11, or says in one sentence how to get one.
is_new_enough() { command -v "$1" >/dev/null && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
  local candidate
  for candidate in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11 python3.14; do
    if is_new_enough "$candidate"; then python=$candidate; return 0; fi
  done
  return 1
}

if ! find_python; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Python with apt." >&2
    { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y python3 python3-venv; } >/dev/null
  fi
  if ! find_python; then
    found=$(python3 --version 2>/dev/null || echo "no Python at all")
    echo "Python 3.11 or newer is needed and this machine has $found; install one, for example: sudo apt-get install python3.11 python3.11-venv" >&2
    exit 1
  fi
fi
