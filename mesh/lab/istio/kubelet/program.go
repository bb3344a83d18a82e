package main

import (
	"path"
	"path/filepath"
	"strconv"
	"strings"

	core "k8s.io/api/core/v1"
)

// workload is the program of an application in the mesh.
const workload = "workload"

// programOf returns what runs for an image, "" if only kwok plays its pods. Keep in step with
// the selectors in mesh/lab/stages.py.
func programOf(image string) string {
	name, _, _ := strings.Cut(path.Base(image), "@")
	name, _, _ = strings.Cut(name, ":")
	return map[string]string{"pilot": "pilot-discovery", "proxyv2": "eastwest", "lab-workload": workload}[name]
}

func hasProgram(pod *core.Pod) bool {
	for _, each := range pod.Spec.Containers {
		if programOf(each.Image) != "" {
			return true
		}
	}
	return false
}

// listening returns the flags that make pilot-discovery listen where the pod's network namespace would be.
//
// They come last, so they win over those of the pod.
func listening(args []string, address, kubeconfig string) []string {
	ports := map[string]int{
		"httpAddr": 8080, "grpcAddr": 15010, "secureGRPCAddr": 15012, "monitoringAddr": 15014, "httpsAddr": 15017,
	}
	kept := append([]string{}, args...)
	for _, name := range []string{"httpAddr", "grpcAddr", "secureGRPCAddr", "monitoringAddr", "httpsAddr"} {
		port := ports[name]
		for _, each := range args {
			if value, found := strings.CutPrefix(each, "--"+name+"="); found {
				if asked, err := strconv.Atoi(value[strings.LastIndex(value, ":")+1:]); err == nil {
					port = asked
				}
			}
		}
		kept = append(kept, "--"+name+"="+address+":"+strconv.Itoa(port))
	}
	return append(kept, "--kubeconfig="+kubeconfig, "--ctrlz_address="+address)
}

// argvOf returns the command line of a container of a pod whose address is on loopback.
func argvOf(container core.Container, env map[string]string, address, programs, kubeconfig string, in files) []string {
	name := programOf(container.Image)
	args := make([]string, 0, len(container.Args))
	for _, each := range container.Args {
		args = append(args, in.inside(expand(each, env)))
	}
	if name == "pilot-discovery" {
		args = listening(args, address, kubeconfig)
	} else {
		// The others take what they need from the environment. The folder lets the lab find the process.
		args = []string{in.root}
	}
	return append([]string{filepath.Join(programs, name)}, args...)
}
