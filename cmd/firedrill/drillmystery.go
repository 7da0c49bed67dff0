package main

// mysteryName is what is said of a drill while nobody may know which it is.
const mysteryName = "mystery"
