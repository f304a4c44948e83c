"""Lets ``python -m sextortion_detect`` do what the command ``sextortion-detect`` does."""

from sextortion_detect.cli import main

if __name__ == "__main__":
    main(prog_name="sextortion-detect")
