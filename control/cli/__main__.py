"""``python -m control.cli``: the command without its script."""

import sys

from control.cli import main

sys.exit(main())
