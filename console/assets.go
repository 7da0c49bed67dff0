package console

import (
	"embed"
	"io/fs"
)

// dist is the built page. "make console" builds it from ui; a test checks that it is current.
//
//go:embed dist
var dist embed.FS

func files() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return sub
}
