// Workload is an application in the mesh together with the part of a ztunnel that serves it.
//
//	workload                                    serves, as the process of a pod
//	workload request --to HOST:PORT [flags]     sends requests and prints one JSON object for each
//
// Certificates and addresses come from the istiod of its own cluster.
package main

import (
	"context"
	"log"
	"os"
	"os/signal"
	"syscall"

	istio "istio.io/istio/pkg/log"
)

func main() {
	log.SetFlags(log.Ltime)
	quiet()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	var err error
	if len(os.Args) > 1 && os.Args[1] == "request" {
		err = request(ctx, os.Args[2:])
	} else {
		err = serve(ctx)
	}
	if err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
}

// quiet keeps what the library of HBONE says of each connection from stdout, where outcomes are printed.
func quiet() {
	options := istio.DefaultOptions()
	options.OutputPaths = []string{"stderr"}
	options.SetDefaultOutputLevel(istio.OverrideScopeName, istio.ErrorLevel)
	if err := istio.Configure(options); err != nil {
		log.Printf("logging: %v", err)
	}
}
