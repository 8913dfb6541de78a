"""Apportion's pipelines: from deliveries to the lake, the build, the proof and the bill."""
