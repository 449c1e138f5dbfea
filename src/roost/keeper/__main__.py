"""`python -m roost.keeper DATA_DIR` starts a keeper."""

import sys

from roost.keeper.daemon import main

sys.exit(main(sys.argv[1:]))
