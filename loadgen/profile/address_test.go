package profile

import (
	"strings"
	"testing"

	"firedrill/loadgen/journey"
)

func TestParseAddress(t *testing.T) {
	for text, want := range map[string]string{
		"http://h/a":                         "http://h/a",
		"HTTP://H/A":                         "http://h/A",
		"http://h":                           "http://h/",
		"http://h?x=1":                       "http://h/?x=1",
		"http://h/?":                         "http://h/?",
		"http://h#top":                       "http://h/",
		"http://h/a?x=1#top":                 "http://h/a?x=1",
		"http://h/ü?q=ü":                     "http://h/%C3%BC?q=%C3%BC",
		"http://h/%C3%BC":                    "http://h/%C3%BC",
		"http://h/a%2Fb":                     "http://h/a%2Fb",
		"http://h/a/../b/./c//d":             "http://h/a/../b/./c//d", // dot segments are sent, to be tested
		`http://h/?q="<>"`:                   "http://h/?q=%22%3C%3E%22",
		"http://h/?q=a+b&r={1|2}":            "http://h/?q=a+b&r={1|2}",
		"http://münchen.example/":            "http://xn--mnchen-3ya.example/",
		"http://h:8080/":                     "http://h:8080/",
		"http://h:/a":                        "http://h/a",
		"https://h/":                         "https://h/",
		"http://[::1]:80/a":                  "http://[::1]:80/a",
		"http://[fe80::1%25eth0]/":           "http://[fe80::1%25eth0]/",
		"http://user:p%40ss@h/a":             "http://h/a",
		"unix:///run/app.sock:/healthz?a=ü":  "http://" + journey.UnixHost("/run/app.sock") + "/healthz?a=%C3%BC",
		"unix:///run/app.sock":               "http://" + journey.UnixHost("/run/app.sock") + "/",
		"unix:///run/my%20app.sock:/":        "http://" + journey.UnixHost("/run/my app.sock") + "/",
		"http://h/a/${id}/b?x=${x}":          "http://h/a/${id}/b?x=${x}",
		"http://${host}:80/ü":                "http://${host}:80/%C3%BC",
		"http://h/firedrillvariable0z/${id}": "http://h/firedrillvariable0z/${id}",
		"${next}":                            "${next}",
		"${next}/ü ${x}":                     "${next}/%C3%BC%20${x}",
	} {
		got, err := templateAddress(text)
		if err != nil || got.URL != want {
			t.Errorf("%s: %q, %v, want %q", text, got.URL, err, want)
		}
		// What is sent stays as it is when it is read again.
		if again, err := templateAddress(got.URL); err != nil || again.URL != got.URL {
			t.Errorf("%s: read again it is %q, %v", got.URL, again.URL, err)
		}
	}
}

func TestAddressesThatCannotBeSent(t *testing.T) {
	for text, want := range map[string]string{
		"http://h/a HTTP/1.1":         `leave out "HTTP/1.1"`,
		"http://h/a b":                "a space is written %20",
		"http://h/a\tb":               `has the character '\t'`,
		"http://h/a\r\nX: y":          `has the character '\r'`,
		"http://h/\x00":               `has the character '\x00'`,
		"http://h/\xff":               "it is not UTF-8",
		"http://h/%zz":                `invalid URL escape "%zz"`,
		"http://h:99999/":             `its port is "99999"`,
		"http://h:0/":                 `its port is "0"`,
		"http://h:x/":                 `invalid port ":x"`,
		"http://":                     "it has no host",
		"http:///a":                   "it has no host",
		"http:a":                      "it has no scheme: write http://http:a",
		"h:80/a":                      "it has no scheme: write http://h:80/a",
		"127.0.0.1:80/a":              "it has no scheme: write http://127.0.0.1:80/a",
		"//h/a":                       "it has no scheme: write http://h/a",
		"h":                           "it has no scheme: write http://h",
		"":                            "it has no scheme",
		"ftp://h/":                    `its scheme is "ftp"`,
		"unix://relative.sock:/":      "want unix:///path/to/socket",
		"unix:///run/app.sock:nopath": "begins with /",
		"http://${a}b${c/":            "invalid character",
		"http://xn--a.\u2028example/": "its host is no name",
	} {
		if got, err := templateAddress(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v, want an error with %q", text, got, err, want)
		}
	}
}

func TestUserInformationBecomesAHeader(t *testing.T) {
	a, err := parseAddress("http://us%40er:p%3Aw@h/")
	if err != nil || len(a.Header) != 1 || a.Header[0].Name != "Authorization" || a.Host != "h" {
		t.Errorf("%+v, %v", a, err)
	}
}

func FuzzAddress(f *testing.F) {
	for _, text := range []string{"http://h/a", "unix:///s:/p", "http://u:p@[::1]:1/ü?q#f", "http://${a}/${b}", "//h", "http://h/%zz"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := templateAddress(text)
		if err != nil {
			return
		}
		if again, err := templateAddress(a.URL); err != nil || again.URL != a.URL {
			t.Errorf("%q is %q, which is %q, %v", text, a.URL, again.URL, err)
		}
		if strings.ContainsAny(journey.Placeholder.ReplaceAllString(a.URL, ""), " \r\n\t\x00") {
			t.Errorf("%q is sent as %q", text, a.URL)
		}
	})
}
