"""``python -m tests.faults --kills 200 --cases 20000``: the long run of ``gateway-prove``."""

from __future__ import annotations

import sys

from gateway.demo.prove import main

if __name__ == "__main__":
    sys.exit(main())
