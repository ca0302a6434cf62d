#!/usr/bin/env bash
# Builds the packages into dist/: bash deploy/package/build.sh
# ARCHS="amd64 arm64" by default. Needs Go and nothing else: nfpm is run through the Go command.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

nfpm=github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2
VERSION=$(sed -n 's/^const release = "\(.*\)"$/\1/p' cmd/kabar/version.go)
export VERSION
mkdir -p dist
for ARCH in ${ARCHS:-amd64 arm64}; do
	export ARCH BINARY=dist/kabar-$ARCH
	CGO_ENABLED=0 GOOS=linux GOARCH=$ARCH go build -trimpath -ldflags "-s -w" -o "$BINARY" ./cmd/kabar
	for packager in deb rpm; do
		go run "$nfpm" package --config deploy/package/nfpm.yaml --packager $packager --target dist/
	done
done
ls -l dist
