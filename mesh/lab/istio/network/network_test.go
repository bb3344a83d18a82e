package network

import (
	"net/netip"
	"testing"
)

func TestAddressesOfALabAreOnLoopback(t *testing.T) {
	for lab, loopback := range map[string]string{
		"10.130.254.7": "127.130.254.7",
		"100.66.1.2":   "127.66.1.2",
		"192.168.1.1":  "",
		"127.0.0.1":    "",
		"fd00::1":      "",
	} {
		found, ok := Loopback(netip.MustParseAddr(lab))
		if ok != (loopback != "") || (ok && found.String() != loopback) {
			t.Errorf("%s: %s %v", lab, found, ok)
		}
	}
}
