#!/usr/bin/env bash
# What can be checked of this folder without a Docker engine. The tests named Docker… in the end-to-end project hold the files against the program and
# against each other, build what the image holds by the Dockerfile's instructions, and run it with the services' environments. Where the compose plugin
# is at hand, it reads the compose file, too.
#   docker/check.sh             all of it
#   docker/check.sh --no-tests  without the tests, where they are run anyway, as in .ci/run
set -euo pipefail
cd "$(dirname "$0")/.."

if docker compose version >/dev/null 2>&1; then
  CONVNET_TOKEN=0123456789abcdef docker compose --env-file /dev/null -f docker/docker-compose.yml --profile submit config --quiet
  if CONVNET_TOKEN='' docker compose --env-file /dev/null -f docker/docker-compose.yml config --quiet 2>/dev/null; then
    echo "docker-compose.yml: expected an error without CONVNET_TOKEN, got none."
    exit 1
  fi
  echo "docker compose reads docker-compose.yml, and not without a token"
else
  echo "no compose plugin here: docker-compose.yml is read by the tests alone"
fi

[ "${1:-}" = --no-tests ] || dotnet test -c Release tests/ConvNet.EndToEnd.Tests --filter "FullyQualifiedName~.Docker"
