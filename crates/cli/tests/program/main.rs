//! The program itself, run as a user runs it, against the emulator.

mod stage;

mod look;
