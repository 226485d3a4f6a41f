"""``python -m otp_service.simulator``"""

import sys

from otp_service.simulator.command import main

sys.exit(main())
