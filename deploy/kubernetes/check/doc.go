// Package check holds the manifests of deploy/kubernetes to what a cluster
// would say of them, without one: Kustomize builds them, the API's own types
// decode them strictly, the API server's own code validates them, and the rules
// of the house are policies with a test each for what they refuse.
//
// It must not know what runs in the pods.
package check
