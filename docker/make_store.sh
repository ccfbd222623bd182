#!/bin/sh
# Creates the bucket of compose.yaml, and a user for Headwater who can use only this bucket (store_policy.json), with
# MinIO's client mc. Run again, it changes nothing but a changed password and policy. Passwords are read from the standard
# input, because anyone on the machine can see the arguments of a program.
set -eu

printf '%s\n%s\n' "$MINIO_ROOT_USER" "$MINIO_ROOT_PASSWORD" | mc alias set store "$STORE_ENDPOINT"
mc mb --ignore-existing "store/$STORE_BUCKET"
printf '%s\n%s\n' "$STORE_USER" "$STORE_PASSWORD" | mc admin user add store
mc admin policy create store headwater-store "${0%/*}/store_policy.json"
mc admin policy attach store headwater-store --user "$STORE_USER"
