"""Plant operations: lines, batches, stops, counts, weighings, scrap and OEE."""
