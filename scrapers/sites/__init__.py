"""Step 2, platforms: their readers, one file each, behind what `readers` lists.

A reader of JSON is a function `(document, *, url, window, zone) -> Reading | None`; None means "not mine". The same
readers are asked about the JSON that pages embed. A reader of pages gets the parsed page in the document's place.
docs/readers.md tells how to add one.
"""
