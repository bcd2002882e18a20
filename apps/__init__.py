"""Things people open: the command line, the review page, the demo org. Nothing imports this package."""
