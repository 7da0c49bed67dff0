// Package check checks the manifests of deploy/kubernetes as a cluster would, without a cluster. Kustomize
// builds them, the APIs' own types decode them strictly, and the API server's own code validates them. Rules of
// this repository are policies; each has a test for what it refuses.
//
// It must not know what runs in the pods.
package check
