"""Imports and exports of many resources at once: see their contracts."""
