package profile

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"firedrill/loadgen/journey"
)

// address is a URL in the form in which it is sent, with the headers that follow from it.
type address struct {
	URL    string           // absolute, only ASCII, without user information and fragment
	Host   string           // name of the host without the port, for lookups; "" for a socket
	Header []journey.Header // of the user information, and of a socket
}

// parseAddress is the only reader of addresses: of arguments, profiles, and lists of targets. It follows RFC 3986 and
// what browsers and curl send: the fragment is left out, an empty path is "/", characters outside ASCII are
// percent-encoded as UTF-8, names of hosts are encoded by IDNA, and user information becomes an Authorization header. Dot
// segments stay as they are, so that a server's reaction to them can be tested. What cannot be sent is an error.
func parseAddress(text string) (address, error) {
	refuse := func(format string, args ...any) (address, error) {
		return address{}, &urlError{text, fmt.Sprintf(format, args...)}
	}
	if at := strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }); at >= 0 {
		if rest := strings.TrimSpace(text[at:]); strings.HasPrefix(rest, "HTTP/") {
			return refuse("leave out %q: the protocol is chosen by --transport", rest)
		}
		return refuse("it has the character %q; a space is written %%20", text[at])
	}
	if !utf8.ValidString(text) {
		return refuse("it is not UTF-8; write other bytes as %%XX")
	}
	if rest, ok := cutScheme(text, "unix"); ok {
		return unixAddress(text, rest)
	}
	u, err := url.Parse(text)
	if err != nil {
		var parse *url.Error
		if errors.As(err, &parse) {
			err = parse.Err
		}
		if !strings.Contains(text, "://") {
			return refuse("it has no scheme: write http://%s", strings.TrimLeft(text, "/"))
		}
		return refuse("%v", err)
	}
	switch {
	case u.Scheme == "" || u.Opaque != "" || !strings.Contains(text, "://"):
		return refuse("it has no scheme: write http://%s", strings.TrimLeft(text, "/"))
	case u.Scheme != "http" && u.Scheme != "https":
		return refuse("its scheme is %q: want http, https or unix", u.Scheme)
	case u.Hostname() == "":
		return refuse("it has no host: want http://host or https://host")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return refuse("its port is %q: want 1 to 65535", port)
		}
	}
	return send(text, u)
}

// cutScheme returns what follows "scheme://". The scheme may have letters of both cases.
func cutScheme(text, scheme string) (rest string, ok bool) {
	prefix := scheme + "://"
	if len(text) < len(prefix) || !strings.EqualFold(text[:len(prefix)], prefix) {
		return "", false
	}
	return text[len(prefix):], true
}

// send returns the form of a URL that is sent.
func send(text string, u *url.URL) (address, error) {
	host, err := asciiHost(u.Hostname())
	if err != nil {
		return address{}, &urlError{text, err.Error()}
	}
	out := address{Host: host}
	if u.User != nil {
		password, _ := u.User.Password()
		value := "Basic " + base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password))
		out.Header = append(out.Header, journey.Header{Name: "Authorization", Value: journey.Literal([]byte(value))})
	}
	if strings.Contains(host, ":") {
		host = "[" + strings.ReplaceAll(host, "%", "%25") + "]" // IPv6
	}
	if port := u.Port(); port != "" {
		host += ":" + port
	}
	out.URL = u.Scheme + "://" + host + requestTarget(u)
	return out, nil
}

// requestTarget returns the path and query of a URL as they are sent.
func requestTarget(u *url.URL) string {
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	path = string(journey.AppendURL(nil, []byte(path)))
	if u.RawQuery != "" || u.ForceQuery {
		path += "?" + string(journey.AppendURL(nil, []byte(u.RawQuery)))
	}
	return path
}

// asciiHost returns the name of a host as it is sent.
func asciiHost(name string) (string, error) {
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			ascii, err := idna.Lookup.ToASCII(name)
			if err != nil {
				return "", fmt.Errorf("its host is no name: %w", err)
			}
			return ascii, nil
		}
	}
	return strings.ToLower(name), nil
}

// unixAddress returns the address of unix:///path/to/socket:/path?query. The path of the request may be left out.
func unixAddress(text, rest string) (address, error) {
	socket, target, _ := strings.Cut(rest, ":")
	if !strings.HasPrefix(socket, "/") || socket == "/" {
		return address{}, &urlError{text, "want unix:///path/to/socket:/path, with an absolute path of the socket"}
	}
	socket, err := url.PathUnescape(socket)
	if err != nil {
		return address{}, &urlError{text, err.Error()}
	}
	if target == "" {
		target = "/"
	}
	u, err := url.Parse(target)
	if err != nil || !strings.HasPrefix(target, "/") || u.Host != "" {
		return address{}, &urlError{text, "want unix:///path/to/socket:/path; the path of the request begins with /"}
	}
	return address{
		URL:    "http://" + journey.UnixHost(socket) + requestTarget(u),
		Header: []journey.Header{{Name: "Host", Value: journey.Literal([]byte("localhost"))}},
	}, nil
}

// templateAddress is like parseAddress for a URL with ${variables}, which stay where they are. A URL that begins with a
// variable is known only when the variable is.
func templateAddress(text string) (address, error) {
	if at := journey.Placeholder.FindStringIndex(text); at != nil && at[0] == 0 {
		return address{URL: text[:at[1]] + string(encodeAround(text[at[1]:]))}, nil
	}
	// A word without special characters stands for each variable. It is made longer until the URL does not have it.
	word := "firedrillvariable"
	for strings.Contains(strings.ToLower(text), word) {
		word += "z"
	}
	var variables []string
	plain := journey.Placeholder.ReplaceAllStringFunc(text, func(match string) string {
		variables = append(variables, match)
		return word + strconv.Itoa(len(variables)-1) + "z"
	})
	a, err := parseAddress(plain)
	if err != nil {
		var bad *urlError
		if errors.As(err, &bad) {
			return a, &urlError{text, bad.why}
		}
		return a, err
	}
	if strings.Contains(a.Host, word) {
		a.Host = ""
	}
	for i, variable := range variables {
		a.URL = strings.Replace(a.URL, word+strconv.Itoa(i)+"z", variable, 1)
	}
	if strings.Contains(a.URL, word) {
		return a, &urlError{text, "a variable cannot stand there"}
	}
	return a, nil
}

// encodeAround percent-encodes what is around the variables of a template, where a URL needs it.
func encodeAround(text string) []byte {
	var out []byte
	rest := 0
	for _, at := range journey.Placeholder.FindAllStringIndex(text, -1) {
		out = append(journey.AppendURL(out, []byte(text[rest:at[0]])), text[at[0]:at[1]]...)
		rest = at[1]
	}
	return journey.AppendURL(out, []byte(text[rest:]))
}
