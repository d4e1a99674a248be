"""Run the command line as `python -m mrm`."""

from mrm.cli import main

main()
