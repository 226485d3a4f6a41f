"""Which release this is: named once. `CHANGELOG.md` tells what each of them brought."""

VERSION = "1.2.0"
