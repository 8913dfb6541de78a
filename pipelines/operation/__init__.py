"""Keep a workspace: back it up, prove that the backup restores, and remove what nobody needs."""
