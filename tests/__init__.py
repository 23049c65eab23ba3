"""The test suite; a package so that its small worlds can be imported by name."""
