package archtest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// platform are the services that a role allows for what AWS does in a function's name: Lambda writes its logs and puts
// aside what it failed to handle, the others encrypt what it stores.
var platform = []string{"logs", "sqs", "kms"}

// TestLinks holds what is linked against what is called. A client costs every start, called or not.
func TestLinks(t *testing.T) {
	template, links := readTemplate(t), dependencies(t)

	t.Run("a function links the clients of the services that its role allows, and no other", func(t *testing.T) {
		for _, f := range template.functions {
			var allowed []string
			role, _ := strings.CutPrefix(show(&f.Role), "!GetAtt ")
			for _, s := range template.Resources[strings.TrimSuffix(role, ".Arn")].statements(t) {
				for _, action := range s.Action {
					if service, _, _ := strings.Cut(action, ":"); !slices.Contains(platform, service) {
						allowed = append(allowed, service)
					}
				}
			}
			slices.Sort(allowed)
			allowed = slices.Compact(allowed)
			if linked := clients(links["functions/"+f.folder()]); !slices.Equal(linked, allowed) {
				t.Errorf("%s links the clients of %v, its role allows %v", f.id, linked, allowed)
			}
		}
	})

	t.Run("the local stack needs no account", func(t *testing.T) {
		if linked := clients(links["functions/local"]); len(linked) > 0 {
			t.Errorf("links the clients of %v", linked)
		}
		for _, dependency := range links["functions/local"] {
			if strings.HasPrefix(dependency, "sallyport/shared/awsenv") {
				t.Errorf("links %s", dependency)
			}
		}
	})
}

// clients returns the services whose clients are among dependencies, by the names that actions have, sorted.
func clients(dependencies []string) (services []string) {
	for _, dependency := range dependencies {
		service, ok := strings.CutPrefix(dependency, "github.com/aws/aws-sdk-go-v2/service/")
		if !ok || strings.Contains(service, "/") {
			continue
		}
		if service == "sfn" {
			service = "states"
		}
		services = append(services, service)
	}
	slices.Sort(services)
	return services
}

// dependencies returns the import paths of all that each package below functions links, by its folder.
func dependencies(t *testing.T) map[string][]string {
	t.Helper()
	list := exec.Command("go", "list", "-json=ImportPath,Deps", "./functions/...")
	// as they are deployed
	list.Dir, list.Env = root, append(list.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	var stderr bytes.Buffer
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, stderr.String())
	}
	links := map[string][]string{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var listed struct {
			ImportPath string
			Deps       []string
		}
		if err := decoder.Decode(&listed); err == io.EOF {
			return links
		} else if err != nil {
			t.Fatal(err)
		}
		links[strings.TrimPrefix(listed.ImportPath, "sallyport/")] = listed.Deps
	}
}
