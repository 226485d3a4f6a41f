#!/bin/sh
# Fetches Swagger UI and ReDoc from npm into otp_service/static/vendor, so that /docs and
# /redoc work without a CDN. Run it after changing a version; commit what it writes.
#
# Needs npm, tar, openssl and sed. The versions are pinned by the hash that npm publishes
# (`npm view NAME@VERSION dist.integrity`): another file of the same name is refused.
set -eu

SWAGGER_UI=5.35.0
SWAGGER_UI_SHA512=U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ==
REDOC=2.5.4
REDOC_SHA512=M6jWhG1qoBnH6TFmzJnstyCZ87HmOY/UzDm78mHiYihEdlV/YcS9ogOo1NlElnJMeLsyxHFe2yFc4sNjHTrABQ==

VENDOR=$(cd "$(dirname "$0")/.." && pwd)/otp_service/static/vendor
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

# unpack NAME VERSION SHA512: leaves the package's files in $WORK/NAME
unpack() {
    tarball="$WORK/$(cd "$WORK" && npm pack --silent "$1@$2")"
    sha512=$(openssl dgst -sha512 -binary "$tarball" | openssl base64 -A)
    if [ "$sha512" != "$3" ]; then
        echo "$1@$2 is not the file that was pinned: its sha512 is $sha512" >&2
        exit 1
    fi
    mkdir "$WORK/$1"
    tar -xzf "$tarball" -C "$WORK/$1" --strip-components=1
}

# keep FOLDER FILE...: replaces vendor/FOLDER by these files
keep() {
    folder="$VENDOR/$1"
    shift
    rm -rf "$folder"
    mkdir -p "$folder"
    cp "$@" "$folder/"
    chmod 644 "$folder"/*
}

unpack swagger-ui-dist "$SWAGGER_UI" "$SWAGGER_UI_SHA512"
unpack redoc "$REDOC" "$REDOC_SHA512"

cd "$WORK/swagger-ui-dist"
keep swagger-ui swagger-ui.css swagger-ui-bundle.js swagger-ui-bundle.js.LICENSE.txt LICENSE NOTICE

cd "$WORK/redoc/bundles"
# ReDoc shows its maker's logo from a CDN, and drops the image when it fails to load. An empty
# image fails at once and asks nobody.
LOGO='https://cdn\.redoc\.ly/redoc/logo-mini\.svg'
if ! grep -q "\"$LOGO\"" redoc.standalone.js; then
    echo "redoc@$REDOC has no logo from a CDN where this script expects one: look again" >&2
    exit 1
fi
sed "s|\"$LOGO\"|\"data:,\"|" redoc.standalone.js >patched.js
mv patched.js redoc.standalone.js
keep redoc redoc.standalone.js redoc.standalone.js.LICENSE.txt ./*.worker.js.LICENSE.txt ../LICENSE

cat >"$VENDOR/README.md" <<README
# Files of others

Written by \`scripts/vendor-docs.sh\`: change the versions there, not the files here.

| folder | npm package | licence | changed |
|---|---|---|---|
| \`swagger-ui\` | swagger-ui-dist $SWAGGER_UI | Apache-2.0 | no |
| \`redoc\` | redoc $REDOC | MIT | the address of its logo on a CDN is emptied |

Each folder holds the package's licence, and a \`*.LICENSE.txt\` with the licences of what is
bundled into the script.
README
