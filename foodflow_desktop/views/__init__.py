"""What a person sees: PySide6 only, no rule, no SQL, no HTTP."""
