package main

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

const (
	// firstDelay and lastDelay are the times before a restart; a kubelet has ten seconds and five minutes.
	firstDelay, lastDelay = time.Second, 30 * time.Second
	// longRun is how long a process must run for its next restart to be the first again.
	longRun = time.Minute
)

// container is one container of a pod: a process that is started again whenever it ends.
type container struct {
	worker  *worker
	spec    core.Container
	volumes *volumes
	state   atomic.Pointer[core.ContainerStatus]

	process  *process
	ready    *prober
	alive    *prober
	startup  *prober
	delay    time.Duration
	after    time.Time
	synced   time.Time
	last     core.ContainerState
	restarts int32
	wasReady bool
	ztunnel  types.UID
	mesh     map[string]string
}

// process is a started command; ended is closed when it is over.
type process struct {
	command *exec.Cmd
	began   time.Time
	ended   chan struct{}
}

func newContainer(w *worker, pod *core.Pod, spec core.Container) *container {
	root := filepath.Join(w.folder, spec.Name)
	c := &container{worker: w, spec: spec, volumes: newVolumes(w.node.client, root, pod, spec)}
	c.report(waiting("ContainerCreating", ""), false)
	return c
}

// look does what is due: files, start, probes, restart.
func (c *container) look(ctx context.Context, pod *core.Pod, held bool) {
	if programOf(c.spec.Image) == "" {
		c.report(running(pod.CreationTimestamp.Time), !held)
		return
	}
	if held {
		c.stop(2*time.Second, "it is held")
		c.report(waiting(reasonOf(pod), pod.Annotations[holdAnnotation+"-message"]), false)
		return
	}
	if time.Since(c.synced) > step {
		if err := c.volumes.sync(ctx); err != nil && c.process == nil {
			c.report(waiting("CreateContainerConfigError", err.Error()), false)
			return
		}
		c.synced = time.Now()
	}
	if programOf(c.spec.Image) == workload && !c.isServed(ctx, pod) {
		return
	}
	if c.process == nil {
		c.start(ctx, pod)
	} else {
		c.watch(ctx)
	}
}

// isServed tells whether a ztunnel serves the pod. The process of a workload is the part of a ztunnel that serves
// it: without a ztunnel it ends, with a new one another begins. The pod stays ready, as applications do.
func (c *container) isServed(ctx context.Context, pod *core.Pod) bool {
	ztunnel := c.worker.node.ztunnelOf(pod, c.ztunnel)
	if c.process != nil && (ztunnel == nil || ztunnel.UID != c.ztunnel) {
		c.end(0, "its ztunnel is gone")
		c.process, c.after = nil, time.Time{}
	}
	if ztunnel == nil {
		c.report(running(pod.CreationTimestamp.Time), true)
		return false
	}
	c.ztunnel, c.mesh = ztunnel.UID, environmentOf(ztunnel)
	c.worker.redirect(ctx, pod)
	return true
}

// start starts the process, unless it has to wait after the last one.
func (c *container) start(ctx context.Context, pod *core.Pod) {
	if time.Now().Before(c.after) {
		return
	}
	command, err := c.command(ctx, pod)
	if err != nil {
		c.report(waiting("CreateContainerConfigError", err.Error()), false)
		return
	}
	if err := c.run(command); err != nil {
		c.report(waiting("RunContainerError", err.Error()), false)
		return
	}
	c.worker.say("%s runs as pid %d", c.spec.Name, command.Process.Pid)
	started := &process{command, time.Now(), make(chan struct{})}
	c.process = started
	address := c.worker.loopback.String()
	c.ready = newProber(c.spec.ReadinessProbe, c.spec, address, started.began)
	c.alive = newProber(c.spec.LivenessProbe, c.spec, address, started.began)
	c.startup = newProber(c.spec.StartupProbe, c.spec, address, started.began)
	go func() {
		_ = command.Wait() // the state tells
		close(started.ended)
		c.worker.notify()
	}()
	c.report(running(started.began), c.staysReady())
}

// watch asks the probes of a running process, or takes note of its end.
func (c *container) watch(ctx context.Context) {
	select {
	case <-c.process.ended:
		c.ended()
		return
	default:
	}
	c.startup.look(ctx)
	if c.startup.passes() {
		c.ready.look(ctx)
		c.alive.look(ctx)
	}
	if c.alive.fails() || c.startup.fails() {
		c.stop(2*time.Second, "its probe fails: "+cmp.Or(c.alive.reason(), c.startup.reason()))
		return
	}
	was := c.state.Load().Ready
	ready := c.startup.passes() && (c.ready.passes() || (was && !c.ready.fails()))
	c.wasReady = c.wasReady || ready
	c.report(running(c.process.began), ready || c.staysReady())
}

// staysReady tells whether the container was ready once and is an application, which does not notice its ztunnel.
func (c *container) staysReady() bool { return c.wasReady && programOf(c.spec.Image) == workload }

// ended takes note of a process that is over, and when the next may start.
func (c *container) ended() {
	state := c.process.command.ProcessState
	terminated := &core.ContainerStateTerminated{
		ExitCode: int32(state.ExitCode()), Reason: "Error",
		StartedAt: meta.NewTime(c.process.began), FinishedAt: meta.Now(),
	}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		terminated.ExitCode, terminated.Signal = 128+int32(status.Signal()), int32(status.Signal())
	}
	if state.Success() {
		terminated.Reason = "Completed"
	}
	c.delay = min(max(firstDelay, 2*c.delay), lastDelay)
	if time.Since(c.process.began) > longRun {
		c.delay = firstDelay
	}
	c.worker.say("%s ended with %s, next start in %s", c.spec.Name, state, c.delay)
	c.after = time.Now().Add(c.delay)
	c.last = core.ContainerState{Terminated: terminated}
	c.process, c.restarts = nil, c.restarts+1
	c.report(waiting("CrashLoopBackOff", "back-off "+c.delay.String()+" restarting failed container"), false)
}

// stop ends the process, if there is one, and takes note of it.
func (c *container) stop(grace time.Duration, why string) {
	if c.process != nil {
		c.end(grace, why)
		c.ended()
	}
}

// end ends the process: SIGTERM, and SIGKILL after grace.
func (c *container) end(grace time.Duration, why string) {
	c.worker.say("%s is stopped: %s", c.spec.Name, why)
	_ = c.process.command.Process.Signal(syscall.SIGTERM) // it may have just ended
	select {
	case <-c.process.ended:
	case <-time.After(grace):
		_ = c.process.command.Process.Kill()
		<-c.process.ended
	}
}

// run starts a command, whose output goes to the log of the container.
func (c *container) run(command *exec.Cmd) error {
	output, err := os.OpenFile(c.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer output.Close() // the process has its own
	command.Stdout, command.Stderr = output, output
	return command.Start()
}

func (c *container) command(ctx context.Context, pod *core.Pod) (*exec.Cmd, error) {
	shown := pod.DeepCopy()
	shown.Status.PodIP = c.worker.address.String()
	env, err := environment(ctx, c.worker.node.client, shown, c.spec)
	if err != nil {
		return nil, err
	}
	root := c.volumes.files.root
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, err
	}
	kubeconfig, err := c.kubeconfig()
	if err != nil {
		return nil, err
	}
	argv := argvOf(c.spec, env, c.worker.loopback.String(), c.worker.node.programs, kubeconfig, c.volumes.files)
	command := exec.Command(argv[0], argv[1:]...)
	command.Dir = root
	command.SysProcAttr = attributes()
	all := c.environment(env)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		command.Env = append(command.Env, name+"="+all[name])
	}
	// For those that act in the name of the pod: `mesh lab request`.
	text, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	return command, replace(filepath.Join(root, ".environment"), string(text))
}

// environment returns the environment of the process. A pod has nothing of its node's environment.
func (c *container) environment(env map[string]string) map[string]string {
	all := map[string]string{
		"HOME": c.volumes.files.root, "PATH": "/usr/bin:/bin", "HOSTNAME": c.worker.pod().Name,
		// A lab is small and shares its machine.
		"GOMEMLIMIT": "200MiB", "GOGC": "50",
		"LAB_ADDRESS": c.worker.loopback.String(), "LAB_SOCKET": filepath.Join("..", "..", "..", socket),
	}
	maps.Copy(all, c.mesh)
	for name, value := range env {
		all[name] = c.volumes.files.inside(value)
	}
	return all
}

// kubeconfig writes the access of the pod's account, whose token file is kept in step, and returns its path.
func (c *container) kubeconfig() (string, error) {
	server := c.worker.node.config
	config := api.NewConfig()
	config.Clusters["lab"] = &api.Cluster{Server: server.Host, CertificateAuthorityData: server.CAData}
	config.AuthInfos["lab"] = &api.AuthInfo{TokenFile: filepath.Join(c.volumes.files.root, accountFolder, "token")}
	config.Contexts["lab"] = &api.Context{Cluster: "lab", AuthInfo: "lab", Namespace: c.worker.pod().Namespace}
	config.CurrentContext = "lab"
	path := filepath.Join(c.volumes.files.root, ".kubeconfig")
	return path, clientcmd.WriteToFile(*config, path)
}

func (c *container) log() string { return filepath.Join(c.worker.folder, c.spec.Name+".log") }

func (c *container) report(state core.ContainerState, ready bool) {
	started := state.Running != nil
	c.state.Store(&core.ContainerStatus{
		Name: c.spec.Name, Image: c.spec.Image, ImageID: c.spec.Image, State: state, LastTerminationState: c.last,
		Ready: ready, Started: &started, RestartCount: c.restarts,
	})
}

func waiting(reason, message string) core.ContainerState {
	return core.ContainerState{Waiting: &core.ContainerStateWaiting{Reason: reason, Message: message}}
}

func running(since time.Time) core.ContainerState {
	return core.ContainerState{Running: &core.ContainerStateRunning{StartedAt: meta.NewTime(since)}}
}

func reasonOf(pod *core.Pod) string {
	if reason := pod.Annotations[holdAnnotation+"-reason"]; reason != "" {
		return reason
	}
	return "ImagePullBackOff"
}
