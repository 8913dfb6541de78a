"""The pages: one folder per reader, one file per question, run by the entry point."""
