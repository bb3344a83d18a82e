package main

import (
	"context"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	authentication "k8s.io/api/authentication/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// accountFolder is where every container finds the token of its account.
const accountFolder = "/var/run/secrets/kubernetes.io/serviceaccount"

// files are the file system of a container: a folder that its process has as working directory.
//
// There is no chroot, which would need rights. Programs of Istio name their files relative to the working
// directory; paths in arguments and in the environment that begin with a mount are led into the folder.
type files struct {
	root   string
	mounts []string
}

// inside returns a path, or a text with a path at its end, led into the folder.
func (f files) inside(text string) string {
	for _, mount := range f.mounts {
		at := strings.Index(text, mount)
		if at == 0 || (at > 0 && strings.ContainsAny(text[at-1:at], "=:,")) {
			return text[:at] + filepath.Join(f.root, text[at:])
		}
	}
	return text
}

// volumes keeps the mounted files of a container in step with the cluster.
type volumes struct {
	client    kubernetes.Interface
	files     files
	pod       *core.Pod
	container core.Container
	tokens    map[string]token
}

type token struct {
	value string
	until time.Time
}

func newVolumes(client kubernetes.Interface, root string, pod *core.Pod, container core.Container) *volumes {
	mounts := []string{accountFolder}
	for _, each := range container.VolumeMounts {
		mounts = append(mounts, each.MountPath)
	}
	// The longest first: a mount may lie in another.
	sort.Slice(mounts, func(i, j int) bool { return len(mounts[i]) > len(mounts[j]) })
	return &volumes{client, files{root, mounts}, pod, container, map[string]token{}}
}

// sync writes what differs; an error names what is missing.
func (v *volumes) sync(ctx context.Context) error {
	sources := map[string]core.VolumeSource{}
	for _, each := range v.pod.Spec.Volumes {
		sources[each.Name] = each.VolumeSource
	}
	for _, mount := range v.container.VolumeMounts {
		content, owned, err := v.content(ctx, sources[mount.Name])
		if err != nil {
			return err
		}
		folder := filepath.Join(v.files.root, mount.MountPath)
		if mount.SubPath != "" {
			err = single(folder, content, mount.SubPath)
		} else {
			err = write(folder, content, owned)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// content returns the files of a volume, and whether others are to be removed from its folder.
func (v *volumes) content(ctx context.Context, from core.VolumeSource) (map[string]string, bool, error) {
	switch {
	case from.Secret != nil:
		found, err := secret(ctx, v.client, v.pod.Namespace, from.Secret.SecretName, from.Secret.Optional)
		return chosen(found, from.Secret.Items), true, err
	case from.ConfigMap != nil:
		found, err := configMap(ctx, v.client, v.pod.Namespace, from.ConfigMap.Name, from.ConfigMap.Optional)
		return chosen(found, from.ConfigMap.Items), true, err
	case from.Projected != nil:
		found, err := v.projected(ctx, from.Projected.Sources)
		return found, true, err
	case from.DownwardAPI != nil:
		found, err := v.downward(from.DownwardAPI.Items)
		return found, true, err
	}
	return nil, false, nil
}

func (v *volumes) projected(ctx context.Context, sources []core.VolumeProjection) (map[string]string, error) {
	all := map[string]string{}
	for _, each := range sources {
		var found map[string]string
		var err error
		switch {
		case each.ServiceAccountToken != nil:
			found, err = v.token(ctx, each.ServiceAccountToken)
		case each.ConfigMap != nil:
			found, err = configMap(ctx, v.client, v.pod.Namespace, each.ConfigMap.Name, each.ConfigMap.Optional)
			found = chosen(found, each.ConfigMap.Items)
		case each.Secret != nil:
			found, err = secret(ctx, v.client, v.pod.Namespace, each.Secret.Name, each.Secret.Optional)
			found = chosen(found, each.Secret.Items)
		case each.DownwardAPI != nil:
			found, err = v.downward(each.DownwardAPI.Items)
		}
		if err != nil {
			return nil, err
		}
		for name, value := range found {
			all[name] = value
		}
	}
	return all, nil
}

func (v *volumes) downward(items []core.DownwardAPIVolumeFile) (map[string]string, error) {
	found := map[string]string{}
	for _, each := range items {
		if each.FieldRef == nil {
			found[each.Path] = resourceOf(v.container, each.ResourceFieldRef.Resource)
			continue
		}
		switch each.FieldRef.FieldPath {
		case "metadata.labels":
			found[each.Path] = lines(v.pod.Labels)
		case "metadata.annotations":
			found[each.Path] = lines(v.pod.Annotations)
		default:
			value, err := fieldOf(v.pod, each.FieldRef.FieldPath)
			if err != nil {
				return nil, err
			}
			found[each.Path] = value
		}
	}
	return found, nil
}

// token returns a token that is bound to the pod, renewed when four fifths of its time are over.
func (v *volumes) token(ctx context.Context, wanted *core.ServiceAccountTokenProjection) (map[string]string, error) {
	known := v.tokens[wanted.Path]
	if time.Now().Before(known.until) {
		return map[string]string{wanted.Path: known.value}, nil
	}
	request := &authentication.TokenRequest{Spec: authentication.TokenRequestSpec{
		ExpirationSeconds: wanted.ExpirationSeconds,
		BoundObjectRef:    &authentication.BoundObjectReference{Kind: "Pod", APIVersion: "v1", Name: v.pod.Name, UID: v.pod.UID},
	}}
	if wanted.Audience != "" {
		request.Spec.Audiences = []string{wanted.Audience}
	}
	account := v.pod.Spec.ServiceAccountName
	answer, err := v.client.CoreV1().ServiceAccounts(v.pod.Namespace).CreateToken(ctx, account, request, meta.CreateOptions{})
	if err != nil {
		return nil, err
	}
	life := time.Until(answer.Status.ExpirationTimestamp.Time)
	v.tokens[wanted.Path] = token{answer.Status.Token, time.Now().Add(life * 4 / 5)}
	return map[string]string{wanted.Path: answer.Status.Token}, nil
}

func chosen(found map[string]string, items []core.KeyToPath) map[string]string {
	if len(items) == 0 {
		return found
	}
	some := map[string]string{}
	for _, each := range items {
		if value, known := found[each.Key]; known {
			some[each.Path] = value
		}
	}
	return some
}

func lines(values map[string]string) string {
	text := []string{}
	for key, value := range values {
		text = append(text, key+`="`+value+`"`)
	}
	sort.Strings(text)
	return strings.Join(text, "\n")
}

// single writes one file of a volume at a path, once: a kubelet does not renew it either.
func single(path string, content map[string]string, name string) error {
	value, known := content[name]
	if _, err := os.Lstat(path); err == nil || !known {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(value), 0o600)
}

// data is the link through which all files of a folder are replaced at once, as a kubelet does it: who watches
// a certificate and its key never sees one of the old and one of the new.
const data = "..data"

// write makes a folder hold exactly these files; owned is false for a volume that the container writes to.
func write(folder string, content map[string]string, owned bool) error {
	if err := os.MkdirAll(folder, 0o700); err != nil || !owned {
		return err
	}
	before, _ := os.Readlink(filepath.Join(folder, data))
	if before != "" && holds(filepath.Join(folder, before), content) {
		return nil
	}
	version, err := os.MkdirTemp(folder, "..")
	if err != nil {
		return err
	}
	for name, value := range content {
		path := filepath.Join(version, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
			return err
		}
	}
	if err := relink(folder, data, filepath.Base(version)); err != nil {
		return err
	}
	if err := show(folder, content); err != nil {
		return err
	}
	if before == "" {
		return nil
	}
	return os.RemoveAll(filepath.Join(folder, before))
}

// show links each file, or the folder that it is in, to its place under data, and removes other links.
func show(folder string, content map[string]string) error {
	wanted := map[string]bool{}
	for name := range content {
		first, _, _ := strings.Cut(name, "/")
		wanted[first] = true
	}
	there, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, each := range there {
		if !wanted[each.Name()] && !strings.HasPrefix(each.Name(), "..") {
			if err := os.Remove(filepath.Join(folder, each.Name())); err != nil {
				return err
			}
		}
	}
	for name := range wanted {
		if err := relink(folder, name, filepath.Join(data, name)); err != nil {
			return err
		}
	}
	return nil
}

func relink(folder, name, to string) error {
	path := filepath.Join(folder, name)
	if found, err := os.Readlink(path); err == nil && found == to {
		return nil
	}
	next := filepath.Join(folder, "..next")
	if err := os.Symlink(to, next); err != nil {
		return err
	}
	return os.Rename(next, path)
}

// holds tells whether a folder has exactly these files.
func holds(folder string, content map[string]string) bool {
	count := 0
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		value, err := os.ReadFile(path)
		if expected, known := content[name]; err != nil || !known || expected != string(value) {
			return os.ErrNotExist
		}
		count++
		return nil
	})
	return err == nil && count == len(content)
}

// replace writes a file as a whole, for its owner only.
func replace(path, text string) error {
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
