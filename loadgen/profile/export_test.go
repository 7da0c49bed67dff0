package profile

// Document is what a test compares the schema with.
type Document = document
