"""With whom a model is shared: seen, given, changed, taken back and handed over.

Where the model's service keeps permissions (:class:`tuning.providers.Sharer`), it judges every change and is asked
first; what it did is written into the grants at once, and what others did there is read again after a while
(:mod:`dashboard.sharing.mirror`). Where it keeps none, the grants here decide.
"""
