"""From a chat export to a twin that answers: export, messages, turns, dataset, adapter, replies."""
