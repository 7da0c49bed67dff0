package profile

// Document exports document, so that a test can compare the schema with it.
type Document = document
