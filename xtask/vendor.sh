#!/usr/bin/env bash
# Bundles the JavaScript libraries of the terminal pages into public/vendor, where they are committed: a build needs neither Node nor npm.
# To be run after a change of a version in xtask/vendor/package.json.
set -euo pipefail
cd "$(dirname "$0")/vendor"
site=../../public/vendor

npm ci --ignore-scripts --no-audit --no-fund
# esbuild's own script only checks that its program fits the machine.
for library in xterm novnc; do
    case $library in
    xterm) note='xterm.js 6.0.0 and its addon-fit, MIT: LICENSE-xterm.txt' ;;
    novnc) note='noVNC 1.7.0, MPL-2.0: LICENSE-novnc.txt; its source: https://github.com/novnc/noVNC/tree/v1.7.0. pako, MIT: LICENSE-pako.txt' ;;
    esac
    npx esbuild "$library.js" --bundle --minify --format=esm --target=es2022 --charset=utf8 --legal-comments=inline \
        --banner:js="/*! $note */" --outfile="$site/$library.js"
done
npx esbuild node_modules/@xterm/xterm/css/xterm.css --minify --legal-comments=inline --outfile="$site/xterm.css"
cp node_modules/@xterm/xterm/LICENSE "$site/LICENSE-xterm.txt"
cat node_modules/@novnc/novnc/LICENSE.txt node_modules/@novnc/novnc/docs/LICENSE.MPL-2.0 >"$site/LICENSE-novnc.txt"
cp node_modules/@novnc/novnc/vendor/pako/LICENSE "$site/LICENSE-pako.txt"
