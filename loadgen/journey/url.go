package journey

import (
	"encoding/hex"
	"strings"
)

// AppendURL appends text to dst as a part of a URL. It percent-encodes the bytes that no part of a URL may have: control
// characters, spaces, quotation marks, angle brackets, and everything outside ASCII. Everything else stays as it is, so a
// text that is encoded already does not change.
func AppendURL(dst, text []byte) []byte {
	const digits = "0123456789ABCDEF"
	for _, b := range text {
		if b <= ' ' || b >= 0x7f || b == '"' || b == '<' || b == '>' {
			dst = append(dst, '%', digits[b>>4], digits[b&15])
			continue
		}
		dst = append(dst, b)
	}
	return dst
}

// unixSuffix ends the names of hosts that stand for Unix sockets.
const unixSuffix = ".unix"

// UnixHost returns the name of a host that stands for a Unix socket in a URL. UnixSocket is its inverse.
func UnixHost(socket string) string { return hex.EncodeToString([]byte(socket)) + unixSuffix }

// UnixSocket returns the path of the socket for which the host in a dialled address, host:port, stands. ok is false for
// other hosts.
func UnixSocket(address string) (socket string, ok bool) {
	host, _, _ := strings.Cut(address, ":")
	name, ok := strings.CutSuffix(host, unixSuffix)
	if !ok {
		return "", false
	}
	path, err := hex.DecodeString(name)
	return string(path), err == nil && len(path) > 0
}
