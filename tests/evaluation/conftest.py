"""Lets the tests of this folder share ``making_sets`` and ``levin_port``."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
