#!/usr/bin/env bash
# What can be checked of this folder without a Docker engine: the tests named Docker… in the end-to-end project compare the compose file and the
# Dockerfile with the command line, publish the program as the image does, and run it with the services' environments.
set -euo pipefail
cd "$(dirname "$0")/.."
exec dotnet test -c Release tests/ConvNet.EndToEnd.Tests --filter "FullyQualifiedName~DockerTests" "$@"
