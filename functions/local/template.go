package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// route is one route of the HTTP API, and the folder of the function that serves it.
type route struct {
	method  string // "ANY" for all
	path    string // as "/transactions/{id}" or "/sandbox/{proxy+}"; "$default" for whatever no other route takes
	service string // the function's folder below functions/
}

// key is the route's key as events carry it.
func (r route) key() string {
	if r.path == "$default" {
		return r.path
	}
	return r.method + " " + r.path
}

// readRoutes takes the routes from the HttpApi events of a SAM template, which stays their only source.
func readRoutes(file string) ([]route, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the routes are taken from template.yaml, start this at the top of the checkout: %w", err)
	}
	var template struct {
		Resources map[string]struct {
			Type       string    `yaml:"Type"`
			Properties yaml.Node `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &template); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var routes []route
	for id, resource := range template.Resources {
		if resource.Type != "AWS::Serverless::Function" {
			continue
		}
		var function struct {
			Events map[string]struct {
				Type       string `yaml:"Type"`
				Properties struct {
					Path   string `yaml:"Path"`
					Method string `yaml:"Method"`
				} `yaml:"Properties"`
			} `yaml:"Events"`
		}
		if err := resource.Properties.Decode(&function); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", file, id, err)
		}
		for _, event := range function.Events {
			if event.Type != "HttpApi" {
				continue
			}
			path := event.Properties.Path
			if path == "" {
				path = "$default"
			}
			routes = append(routes, route{strings.ToUpper(event.Properties.Method), path, Folder(id)})
		}
	}
	if len(routes) == 0 {
		return nil, errors.New(file + " has no function with an HttpApi event")
	}
	return routes, nil
}

// Folder is where the function with a logical id lives: EqualExecuteJourney in equal/execute-journey.
func Folder(logicalID string) string {
	var words []string
	for i, c := range logicalID {
		if i == 0 || unicode.IsUpper(c) {
			words = append(words, "")
		}
		words[len(words)-1] += string(unicode.ToLower(c))
	}
	if len(words) < 2 {
		return words[0]
	}
	return words[0] + "/" + strings.Join(words[1:], "-")
}

// match returns the route that serves a request, as the HTTP API picks it: a full match before one with parameters
// before a greedy one before $default; and the values of its path parameters.
func match(routes []route, method string, segments []string) (best route, params map[string]string, ok bool) {
	rank := -1
	for _, r := range routes {
		if r.method != method && r.method != "ANY" && r.path != "$default" {
			continue
		}
		values, score := fit(r.path, segments)
		if score >= 0 && r.method == method {
			score++ // a method before ANY
		}
		if score > rank {
			best, params, rank, ok = r, values, score, true
		}
	}
	return best, params, ok
}

// fit scores how exactly a path fits; -1 where it doesn't.
func fit(path string, segments []string) (values map[string]string, score int) {
	if path == "$default" {
		return nil, 0
	}
	values, score = map[string]string{}, 8
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, part := range parts {
		name, isParam := strings.CutPrefix(part, "{")
		name = strings.TrimSuffix(name, "}")
		switch greedy, isGreedy := strings.CutSuffix(name, "+"); {
		case isParam && isGreedy:
			if len(segments) <= i {
				return nil, -1
			}
			values[greedy] = strings.Join(segments[i:], "/")
			return values, 2
		case i >= len(segments), !isParam && part != segments[i], isParam && segments[i] == "":
			return nil, -1
		case isParam:
			values[name] = segments[i]
			score = 4
		}
	}
	if len(parts) != len(segments) {
		return nil, -1
	}
	return values, score
}
