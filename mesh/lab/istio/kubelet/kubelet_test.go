package main

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestOnlyImagesWithAProgramRun(t *testing.T) {
	for image, program := range map[string]string{
		"registry.istio.io/release/pilot:1.31.0":              "pilot-discovery",
		"localhost:5000/pilot@sha256:abc":                     "pilot-discovery",
		"registry.istio.io/release/proxyv2:1.31.0-distroless": "eastwest",
		"lab-workload:1": "workload",
		"registry.istio.io/release/ztunnel:1.31.0": "",
		"example/pilot-light:1":                    "",
	} {
		if found := programOf(image); found != program {
			t.Errorf("%s: %q", image, found)
		}
	}
}

func TestReferencesAreExpandedAsAKubeletDoes(t *testing.T) {
	env := map[string]string{"A": "1", "B": ""}
	for text, expanded := range map[string]string{
		"$(A)-$(B)": "1-", "$$(A)": "$(A)", "$(NONE)": "$(NONE)", "$A": "$A", "x": "x",
	} {
		if found := expand(text, env); found != expanded {
			t.Errorf("%s: %s", text, found)
		}
	}
}

func TestPathsOfMountsLeadIntoTheFolder(t *testing.T) {
	f := files{"/lab/pod", []string{"/etc/cacerts", "/etc"}}
	for text, inside := range map[string]string{
		"/etc/cacerts/ca-cert.pem":   "/lab/pod/etc/cacerts/ca-cert.pem",
		"--config=/etc/istio/config": "--config=/lab/pod/etc/istio/config",
		"/usr/etc/x":                 "/usr/etc/x",
		"plain":                      "plain",
	} {
		if found := f.inside(text); found != inside {
			t.Errorf("%s: %s", text, found)
		}
	}
}

func TestIstiodListensAtItsPodWithThePortsOfItsPod(t *testing.T) {
	found := listening([]string{"discovery", "--monitoringAddr=:15099"}, "127.1.2.3", "/k")
	for _, each := range []string{
		"--monitoringAddr=127.1.2.3:15099", "--secureGRPCAddr=127.1.2.3:15012", "--kubeconfig=/k",
	} {
		if !slices.Contains(found, each) {
			t.Errorf("%s is not in %v", each, found)
		}
	}
}

func TestFilesOfAVolumeAreReplacedTogether(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "v")
	must := func(content map[string]string) {
		t.Helper()
		if err := write(folder, content, true); err != nil {
			t.Fatal(err)
		}
	}
	must(map[string]string{"cert": "1", "key": "1"})
	before, _ := os.Readlink(filepath.Join(folder, data))
	must(map[string]string{"cert": "1", "key": "1"})
	if same, _ := os.Readlink(filepath.Join(folder, data)); same != before {
		t.Error("unchanged files were written again")
	}
	must(map[string]string{"cert": "2", "other/key": "2"})
	if found, err := os.ReadFile(filepath.Join(folder, "cert")); err != nil || string(found) != "2" {
		t.Errorf("%s %v", found, err)
	}
	if found, err := os.ReadFile(filepath.Join(folder, "other", "key")); err != nil || string(found) != "2" {
		t.Errorf("%s %v", found, err)
	}
	if _, err := os.Lstat(filepath.Join(folder, "key")); err == nil {
		t.Error("a file that is gone from the volume is still there")
	}
	if _, err := os.Stat(filepath.Join(folder, before)); err == nil {
		t.Error("the old version is still there")
	}
	must(map[string]string{})
	if there, _ := os.ReadDir(folder); len(there) != 2 { // the link and its target
		t.Errorf("%v", there)
	}
}

func TestOfALogTheLastLinesAreSent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte("1\n2\n3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for query, text := range map[string]string{
		"": "1\n2\n3\n", "?tailLines=2": "2\n3\n", "?tailLines=9": "1\n2\n3\n", "?tailLines=0": "",
	} {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		answer := httptest.NewRecorder()
		sendLog(answer, httptest.NewRequest("GET", "/containerLogs/a/b/c"+query, nil), file)
		if err := file.Close(); err != nil || answer.Body.String() != text {
			t.Errorf("%s: %q %v", query, answer.Body.String(), err)
		}
	}
}

func TestAProbeCountsInARow(t *testing.T) {
	probe := &core.Probe{FailureThreshold: 2, SuccessThreshold: 1, ProbeHandler: core.ProbeHandler{
		HTTPGet: &core.HTTPGetAction{Path: "/"},
	}}
	p := newProber(probe, core.Container{}, "127.0.0.1", time.Now()) // port 0: nobody answers
	p.look(t.Context())
	if p.passes() || p.fails() {
		t.Error("one failure of two decides")
	}
	p.next = time.Time{}
	p.look(t.Context())
	if !p.fails() {
		t.Error("two failures of two do not count")
	}
	var none *prober
	if none.look(t.Context()); !none.passes() || none.fails() || none.reason() != "" {
		t.Error("a container without a probe is not well")
	}
}

func TestConditionsKeepTheTimeOfTheirChange(t *testing.T) {
	then := meta.NewTime(time.Unix(1, 0))
	before := core.PodStatus{Conditions: []core.PodCondition{
		{Type: core.PodScheduled, Status: core.ConditionTrue, LastTransitionTime: then},
		{Type: core.PodReady, Status: core.ConditionTrue, LastTransitionTime: then},
		{Type: core.ContainersReady, Status: core.ConditionTrue, LastTransitionTime: then},
	}}
	after := merged(before, core.PodStatus{Conditions: []core.PodCondition{
		{Type: core.PodReady, Status: core.ConditionTrue},
		{Type: core.ContainersReady, Status: core.ConditionFalse},
	}})
	if found := conditionOf(after, core.PodReady); !found.LastTransitionTime.Equal(&then) {
		t.Error("an unchanged condition has a new time")
	}
	if found := conditionOf(after, core.ContainersReady); found.LastTransitionTime.Equal(&then) {
		t.Error("a changed condition has its old time")
	}
	if conditionOf(after, core.PodScheduled) == nil {
		t.Error("a condition of others is lost")
	}
}
