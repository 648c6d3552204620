"""Food safety and quality: lots, holds, critical control points, deviations, traceability."""
