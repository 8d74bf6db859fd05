"""What the page shows, as HTML: strings from the pipeline's objects, every character of a chat escaped."""
