"""Renderers of the document model, and the chart specifications that screens and reports share."""
