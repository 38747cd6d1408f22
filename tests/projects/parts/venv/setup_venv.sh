#!/bin/bash
# Makes the virtual environment for development.
set -e
cd "$(dirname "$0")"
python3 -m venv venv
venv/bin/pip install -r requirements.txt
