"""Measurements that are repeated: quality floors now; speed and rivals later."""
