"""What the app reads: one module per family of marts, SQL in, small frames out."""
