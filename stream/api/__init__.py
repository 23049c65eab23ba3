"""The functions of the package: `stream` offers them, the command is built on them."""
