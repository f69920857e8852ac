# SPDX-License-Identifier: BSD-2-Clause
"""How a check script ends."""
import sys


def end(bad, good, rules=""):
    """Prints the faults, one a line, and the sentence where the rules are said; or the sentence `good` when there is no
    fault. Ends the script: exit status 1 if there was one."""
    print("\n".join(bad) or good)
    if bad and rules:
        print(rules)
    sys.exit(1 if bad else 0)
