"""Snapshots: networks that a release stored whole, as pickles, read as data.

- storage: PyTorch's numbers where they lie in a file; tensors made of them one at a time;
- records: objects of classes as data, and settings as plain values;
- reader: a file → its value, by a machine that makes nothing else;
- networks: the value → networks by name, each with its weights and what it stores of its settings.
"""
