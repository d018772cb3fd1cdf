#!/usr/bin/env bash
# Installs Mesa's software Vulkan driver on Debian and Ubuntu, for the tests of the GPU engine.
set -euo pipefail

if compgen -G "/usr/share/vulkan/icd.d/*.json" >/dev/null; then
    exit 0
fi
sudo=""
[ "$(id -u)" -eq 0 ] || sudo="sudo"
$sudo apt-get update -qq
$sudo apt-get install -y -qq --no-install-recommends mesa-vulkan-drivers libvulkan1 >/dev/null
