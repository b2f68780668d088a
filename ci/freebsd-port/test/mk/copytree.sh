#!/bin/sh
# copytree.sh SOURCE DESTINATION: copies the folder SOURCE into DESTINATION, without owners and modes.
set -eu
mkdir -p "$2"
find "$1" -type d | while IFS= read -r folder; do
    mkdir -p "$2/$folder"
    chmod 755 "$2/$folder"
done
find "$1" -type f | while IFS= read -r file; do
    install -m 644 "$file" "$2/$file"
done
find "$1" -type l | while IFS= read -r link; do
    cp -P "$link" "$2/$link"
done
