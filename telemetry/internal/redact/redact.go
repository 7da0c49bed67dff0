// Package redact removes signatures from telemetry. Whoever reads a signature
// in a log could repeat the signed request.
package redact

import "strings"

// Text replaces a secret.
const Text = "REDACTED"

// Query replaces the values of the query parameters that OpenTelemetry lists as
// secrets. It returns query unchanged, without an allocation, if there are
// none. https://opentelemetry.io/docs/specs/semconv/registry/attributes/url/
func Query(query string) string {
	if !hasSecret(query) {
		return query
	}
	parts := strings.Split(query, "&")
	for i, part := range parts {
		if key, _, _ := strings.Cut(part, "="); secret(key) {
			parts[i] = key + "=" + Text
		}
	}
	return strings.Join(parts, "&")
}

func hasSecret(query string) bool {
	for query != "" {
		var part string
		part, query, _ = strings.Cut(query, "&")
		if key, _, _ := strings.Cut(part, "="); secret(key) {
			return true
		}
	}
	return false
}

func secret(key string) bool {
	switch key {
	case "AWSAccessKeyId", "Signature", "sig", "X-Goog-Signature":
		return true
	}
	return false
}
