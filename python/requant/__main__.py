"""`python -m requant` is the command `requant`."""

from ._command import main

raise SystemExit(main())
