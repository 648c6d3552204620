"""The framework of the server: sessions and tenancy, resources, the action door, audit, feed."""
