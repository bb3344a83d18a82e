package main

import (
	"context"
	"fmt"
	"regexp"
	"runtime"
	"strconv"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

var reference = regexp.MustCompile(`\$\$|\$\(([A-Za-z_.][A-Za-z0-9_.-]*)\)`)

// expand replaces $(NAME) by what env has of it, as a kubelet does: an unknown name stays, $$ is one $.
func expand(text string, env map[string]string) string {
	return reference.ReplaceAllStringFunc(text, func(found string) string {
		if found == "$$" {
			return "$"
		}
		if value, known := env[found[2:len(found)-1]]; known {
			return value
		}
		return found
	})
}

// environment returns the environment of a container; an error names what is missing.
func environment(
	ctx context.Context, client kubernetes.Interface, pod *core.Pod, container core.Container,
) (map[string]string, error) {
	env := map[string]string{}
	for _, from := range container.EnvFrom {
		found, err := envFrom(ctx, client, pod.Namespace, from)
		if err != nil {
			return nil, err
		}
		for name, value := range found {
			env[from.Prefix+name] = value
		}
	}
	for _, each := range container.Env {
		value, known, err := valueOf(ctx, client, pod, container, each, env)
		if err != nil {
			return nil, err
		}
		if known {
			env[each.Name] = value
		}
	}
	return env, nil
}

func envFrom(
	ctx context.Context, client kubernetes.Interface, namespace string, from core.EnvFromSource,
) (map[string]string, error) {
	switch {
	case from.ConfigMapRef != nil:
		return configMap(ctx, client, namespace, from.ConfigMapRef.Name, from.ConfigMapRef.Optional)
	case from.SecretRef != nil:
		return secret(ctx, client, namespace, from.SecretRef.Name, from.SecretRef.Optional)
	}
	return nil, nil
}

func valueOf(
	ctx context.Context, client kubernetes.Interface, pod *core.Pod, container core.Container, each core.EnvVar,
	env map[string]string,
) (string, bool, error) {
	from := each.ValueFrom
	switch {
	case from == nil:
		return expand(each.Value, env), true, nil
	case from.FieldRef != nil:
		value, err := fieldOf(pod, from.FieldRef.FieldPath)
		return value, true, err
	case from.ResourceFieldRef != nil:
		return resourceOf(container, from.ResourceFieldRef.Resource), true, nil
	case from.ConfigMapKeyRef != nil:
		found, err := configMap(ctx, client, pod.Namespace, from.ConfigMapKeyRef.Name, from.ConfigMapKeyRef.Optional)
		return keyOf(found, from.ConfigMapKeyRef.Key, from.ConfigMapKeyRef.Optional, err)
	case from.SecretKeyRef != nil:
		found, err := secret(ctx, client, pod.Namespace, from.SecretKeyRef.Name, from.SecretKeyRef.Optional)
		return keyOf(found, from.SecretKeyRef.Key, from.SecretKeyRef.Optional, err)
	}
	return "", false, fmt.Errorf("env %s has a source that the lab does not know", each.Name)
}

func keyOf(found map[string]string, key string, optional *bool, err error) (string, bool, error) {
	value, known := found[key]
	if err == nil && !known && !isTrue(optional) {
		err = fmt.Errorf("couldn't find key %s", key)
	}
	return value, known, err
}

var keyed = regexp.MustCompile(`^metadata\.(labels|annotations)\['([^']+)'\]$`)

// fieldOf returns a field of a pod by the path that the downward API has for it.
func fieldOf(pod *core.Pod, path string) (string, error) {
	if found := keyed.FindStringSubmatch(path); found != nil {
		if found[1] == "labels" {
			return pod.Labels[found[2]], nil
		}
		return pod.Annotations[found[2]], nil
	}
	value, known := map[string]string{
		"metadata.name":           pod.Name,
		"metadata.namespace":      pod.Namespace,
		"metadata.uid":            string(pod.UID),
		"spec.nodeName":           pod.Spec.NodeName,
		"spec.serviceAccountName": pod.Spec.ServiceAccountName,
		"status.podIP":            pod.Status.PodIP,
		"status.podIPs":           pod.Status.PodIP,
		"status.hostIP":           pod.Status.HostIP,
	}[path]
	if !known {
		return "", fmt.Errorf("the lab does not know the field %s of a pod", path)
	}
	return value, nil
}

// resourceOf returns a limit or request of a container; what has none may use the whole node.
func resourceOf(container core.Container, name string) string {
	resources := map[string]core.ResourceList{
		"limits":   container.Resources.Limits,
		"requests": container.Resources.Requests,
	}
	for kind, list := range resources {
		for resource, quantity := range list {
			if name == kind+"."+string(resource) {
				return strconv.FormatInt(quantity.Value(), 10)
			}
		}
	}
	if name == "limits.cpu" || name == "requests.cpu" {
		return strconv.Itoa(runtime.NumCPU())
	}
	return "0"
}

func configMap(
	ctx context.Context, client kubernetes.Interface, namespace, name string, optional *bool,
) (map[string]string, error) {
	found, err := client.CoreV1().ConfigMaps(namespace).Get(ctx, name, meta.GetOptions{})
	if err != nil {
		return nil, unless(optional, err)
	}
	values := map[string]string{}
	for key, value := range found.Data {
		values[key] = value
	}
	for key, value := range found.BinaryData {
		values[key] = string(value)
	}
	return values, nil
}

func secret(
	ctx context.Context, client kubernetes.Interface, namespace, name string, optional *bool,
) (map[string]string, error) {
	found, err := client.CoreV1().Secrets(namespace).Get(ctx, name, meta.GetOptions{})
	if err != nil {
		return nil, unless(optional, err)
	}
	values := map[string]string{}
	for key, value := range found.Data {
		values[key] = string(value)
	}
	return values, nil
}

func isTrue(value *bool) bool { return value != nil && *value }

// unless returns the error, nil if only something optional is missing.
func unless(optional *bool, err error) error {
	if errors.IsNotFound(err) && isTrue(optional) {
		return nil
	}
	return err
}
