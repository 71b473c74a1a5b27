//! Files that are right, read and run.
