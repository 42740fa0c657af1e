"""Lets the tests of this folder share ``night_scene``."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
